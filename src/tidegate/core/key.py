"""Virtual keys: `sk-tg-<id8>_<random32>`. Shown once; only a keyed digest is stored.

Keys that another gateway made (`sk-...`) go on once they are imported. Nobody knows them but by
their SHA-256: the id is its beginning, after `ext-`, and the stored digest is taken over it.
"""

import hashlib
import hmac
import re
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
FOREIGN_ID_PREFIX = "ext-"
_FOREIGN_DIGITS = 24  # 96 bits: no two keys of one house share them
_MOST_FOREIGN = 512
_ID = re.compile(rf"[A-Za-z0-9]{{{ID_LENGTH}}}|{FOREIGN_ID_PREFIX}[0-9a-f]{{{_FOREIGN_DIGITS}}}")
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = len(PREFIX) + ID_LENGTH + 1 + RANDOM_LENGTH


class KeyRecord(Struct, frozen=True, omit_defaults=True):
    """What the store knows of a key. `routes` holds names, or `*` for every route; `priority` is
    the highest class that its requests may have.

    Times are wall-clock seconds. `digest` is HMAC-SHA256 of the whole key, or of the SHA-256 of a
    foreign one, under the pepper of version `pepper_version`.
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
    """The public id of a presented key, or None when it has not the shape of a key."""
    found = read(key)
    return None if found is None else found[0]


def read(key: bytes) -> tuple[str, bytes] | None:
    """A presented key's id, and what its digest is taken over; None for what is no key."""
    if not key.startswith(b"sk-"):
        return None
    if key.startswith(b"sk-tg-"):
        return _own(key)
    if len(key) > _MOST_FOREIGN:
        return None
    material = hashlib.sha256(key).digest()
    return foreign_id(material), material


def _own(key: bytes) -> tuple[str, bytes] | None:
    if len(key) != _LENGTH or key[14:15] != b"_":
        return None
    if not (key.isascii() and key[6:14].isalnum() and key[15:].isalnum()):
        return None
    return key[6:14].decode("ascii"), key


def foreign_id(sha256: bytes) -> str:
    """The id of the foreign key that has this SHA-256."""
    return FOREIGN_ID_PREFIX + sha256.hex()[:_FOREIGN_DIGITS]


def is_id(text: str) -> bool:
    """Whether a key could be called so."""
    return _ID.fullmatch(text) is not None


def digest_of(key: bytes, pepper: bytes) -> bytes:
    return hmac.digest(pepper, key, "sha256")


def same_digest(one: bytes, other: bytes) -> bool:
    """Compares in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)
