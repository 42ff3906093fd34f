"""Arms: which release of a route a unit of traffic belongs to, the same on every replica.

A unit's bucket is the first eight bytes of SHA-256 over the release's salt and the unit, as a
fraction of 1. It is the canary's while the bucket is below the weight, so that raising the weight
moves nobody back, and a new salt chooses other people first.

Two releases of one route that touch none of the same parts have a lane each, a half of the units,
by a salt that both share: a unit meets one of them at most, and each has its own stable units
beside its own canary.
"""

from hashlib import sha256
from typing import Final, Literal

from msgspec import Struct

LANES: Final = 2
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


class Lane(Struct, frozen=True):
    """The half of a route's units that a release has to itself: `number` is 0 or 1."""

    salt: str
    number: int


def lane_of(salt: str, unit: str) -> int:
    """The number of the lane that the unit is in, whatever its place in a release is."""
    return bucket(f"{salt} lane", unit) * LANES // _WHOLE


def dial_scope(route: str, rollout: str, *, in_lane: bool) -> str:
    """What the dials of a release are held for: its route, and in a lane `ROUTE@NAME`."""
    return f"{route}@{rollout.removeprefix(route + '/')}" if in_lane else route
