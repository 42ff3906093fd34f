"""Where a Redis or Valkey server is, from its URL: `redis://`, `rediss://` (TLS) or `unix://`.

redis://[user][:password]@host[:port][/database]
unix://[user][:password]@/path/of/the.sock[?db=database]
"""

import ssl
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

from tidegate.core.secret import Secret

FORMS: Final = "redis://host:6379/0, rediss://host:6380/0 or unix:///run/redis.sock"


class RedisAddress(Struct, frozen=True):
    """`path` is there for a Unix socket, `host` and `port` otherwise."""

    host: str | None = None
    port: int = 6379
    path: str | None = None
    tls: ssl.SSLContext | None = None
    user: str | None = None
    password: Secret | None = None
    database: int = 0

    def __str__(self) -> str:
        return f"unix://{self.path}" if self.path else f"{self.host}:{self.port}"


def parse(url: str, *, ca_file: str | None = None) -> RedisAddress:
    """ValueError says what is wrong, and never quotes the URL: a password may be in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"not a Redis URL; write {FORMS}") from None
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError(f"the scheme of a Redis URL is redis, rediss or unix; write {FORMS}")
    password = None if parts.password is None else Secret(unquote(parts.password))
    user = unquote(parts.username) if parts.username else None
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("a unix:// URL needs the path of the socket")
        database = _database(parse_qs(parts.query).get("db", ["0"])[0])
        return RedisAddress(path=parts.path, user=user, password=password, database=database)
    if not parts.hostname:
        raise ValueError(f"a Redis URL needs a host; write {FORMS}")
    tls = ssl.create_default_context(cafile=ca_file) if parts.scheme == "rediss" else None
    database = _database(parts.path.strip("/") or "0")
    return RedisAddress(parts.hostname, port or 6379, None, tls, user, password, database)


def _database(text: str) -> int:
    if not text.isdecimal() or len(text) > 4:
        raise ValueError("the database of a Redis URL is a small whole number")
    return int(text)
