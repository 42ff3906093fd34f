"""What one check of a gate found."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

# inconclusive: the cases cannot tell. It is not a pass.
GateVerdict = Literal["pass", "warn", "block", "inconclusive"]
_SHOWN: Final = 5


class Finding(Struct, frozen=True, omit_defaults=True):
    """`smallest` is the smallest harm that the check would have found in four of five samples, in
    the unit of its figures; `needs` how many cases would tell."""

    check: str
    verdict: GateVerdict
    why: str
    figures: Mapping[str, float] = {}
    smallest: float | None = None
    needs: int | None = None


def listed(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
