"""Arms: which release of a route a unit of traffic belongs to, the same on every replica.

A unit's bucket is the first eight bytes of SHA-256 over the release's salt and the unit, as a
fraction of 1. It is the canary's while the bucket is below the weight, so that raising the weight
moves nobody back, and a new salt chooses other people first.
"""

from hashlib import sha256
from typing import Literal

Arm = Literal["stable", "canary", "shadow"]
UnitKind = Literal["experiment", "user", "conversation", "key", "request"]
UNIT_KINDS: tuple[UnitKind, ...] = ("experiment", "user", "conversation", "key", "request")
_SEPARATOR = b"\x1f"
_WHOLE = 1 << 64


def bucket(salt: str, unit: str) -> int:
    """The unit's place among 2**64; also how receipts call it without telling who it is."""
    digest = sha256(salt.encode() + _SEPARATOR + unit.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8])


def is_canary(place: int, weight: float) -> bool:
    return place < weight * _WHOLE
