"""Virtual keys: `sk-tg-<id8>_<random32>`. Shown once; only a keyed digest is stored."""

import hmac
import string
from typing import ClassVar

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.key_limits import KeyLimits
from tidegate.core.priority import Priority

PREFIX = "sk-tg-"
# The name of keys that control makes for itself to ask judges with, anew when the plan changes.
ONLINE_QUALITY = "online quality"
ID_LENGTH = 8
RANDOM_LENGTH = 32
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = len(PREFIX) + ID_LENGTH + 1 + RANDOM_LENGTH


class KeyRecord(Struct, frozen=True, omit_defaults=True):
    """What the store knows of a key. `routes` holds names, or `*` for every route; `priority` is
    the highest class that its requests may have.

    Times are wall-clock seconds. `digest` is HMAC-SHA256 of the whole key under the pepper of
    version `pepper_version`.
    """

    id: str
    digest: bytes
    pepper_version: int
    name: str
    team: str
    created_at_s: float
    routes: tuple[str, ...]
    customer: str | None = None
    environment: str | None = None
    purpose: str = "production"
    priority: Priority = "standard"
    attributes: dict[str, str] = {}
    expires_at_s: float | None = None
    revoked_at_s: float | None = None
    limits: KeyLimits | None = None
    # What only a caller without a key has (core.caller).
    end_user: ClassVar[str | None] = None
    not_before_s: ClassVar[float] = 0.0
    ids: ClassVar[tuple[str, ...]] = ()

    def may_use(self, route: str) -> bool:
        return "*" in self.routes or route in self.routes


def generate() -> tuple[str, str]:
    """A fresh (id, key)."""
    key_id = clock.random_text(_ALPHABET, ID_LENGTH)
    return key_id, f"{PREFIX}{key_id}_{clock.random_text(_ALPHABET, RANDOM_LENGTH)}"


def id_of(key: bytes) -> str | None:
    """The public id inside a presented key, or None when it has not the shape of a key."""
    if len(key) != _LENGTH or not key.startswith(b"sk-tg-") or key[14:15] != b"_":
        return None
    if not (key.isascii() and key[6:14].isalnum() and key[15:].isalnum()):
        return None
    return key[6:14].decode("ascii")


def digest_of(key: bytes, pepper: bytes) -> bytes:
    return hmac.digest(pepper, key, "sha256")


def same_digest(one: bytes, other: bytes) -> bool:
    """Compares in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)
