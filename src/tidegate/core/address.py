"""Addresses as a plan writes them: a provider's URL and a listener's `host:port`."""

import ipaddress
import re
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

MAX_URL_CHARS = 2048
_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):([0-9]{1,5})")


class Listen(Struct, frozen=True):
    """Where a process listens. Port 0 asks the system for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


class Url(NamedTuple):
    """The parts of a provider's base URL; `path` has no trailing slash."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


def bracketed(host: str) -> str:
    """An IPv6 address in brackets, any other host as it is."""
    return f"[{host}]" if ":" in host else host


def parse_url(text: str) -> Url:
    """`https://api.openai.com/v1` in parts. ValueError says what is wrong, without the URL."""
    if len(text) > MAX_URL_CHARS:
        raise ValueError(f"the URL is longer than {MAX_URL_CHARS} characters")
    if not text.isascii() or not text.isprintable() or any(c in text for c in ' \\"<>'):
        raise ValueError("the URL holds a space or a character that URLs do not have")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL's host or port cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("a URL here starts with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("a URL here holds no user name or password; use api_key")
    if "?" in text or "#" in text:
        raise ValueError("a URL here has no query and no fragment")
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("the URL's port must be from 1 to 65535")
    if not host or not _is_host(host, bracketed="[" in parts.netloc):
        raise ValueError("the URL's host is neither a name nor an IP address")
    path = parts.path.rstrip("/")
    if not _PATH.fullmatch(path) or "//" in path or {".", ".."} & set(path.split("/")):
        raise ValueError("the URL's path is not a plain path such as /v1")
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    return Url(scheme, host, port or _PORTS[scheme], path)


def parse_listen(text: str) -> Listen:
    """`127.0.0.1:4000`, `[::1]:4000`, `localhost:4000`. ValueError when it is neither."""
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[2]) > 65535:
        raise ValueError("expected host:port, such as 127.0.0.1:4000 or [::1]:4000")
    host = match[1].strip("[]")
    if not _is_host(host, bracketed=match[1].startswith("[")):
        raise ValueError("the host is neither a name nor an IP address")
    return Listen(host, int(match[2]))


def parse_host(text: str) -> str:
    """A host name or IP address, lower case; no port, no brackets. ValueError otherwise."""
    if not _is_host(text, bracketed=":" in text):
        raise ValueError("expected a host name or an IP address, without port")
    return text.lower()


def parse_origin(text: str) -> str:
    """A web origin as browsers write it: `https://host`, `https://host:8443`. ValueError."""
    url = parse_url(text)
    if url.path or text.endswith("/"):
        raise ValueError("expected an origin such as https://ops.example.com, without a path")
    port = "" if url.port == _PORTS[url.scheme] else f":{url.port}"
    return f"{url.scheme}://{bracketed(url.host)}{port}"


def _is_host(host: str, *, bracketed: bool) -> bool:
    if bracketed:
        try:
            return "%" not in host and ipaddress.ip_address(host).version == 6
        except ValueError:
            return False
    if len(host) > 253:
        return False
    labels = host.rstrip(".").split(".")
    if labels[-1].isdigit():  # looks like IPv4, so it must be one
        try:
            return ipaddress.ip_address(host).version == 4
        except ValueError:
            return False
    return all(_LABEL.fullmatch(label) for label in labels)


def is_loopback(host: str) -> bool:
    """Whether a listener's or peer's address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
