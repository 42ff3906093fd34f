"""What attempts at other targets than the receipt's came to, so that budgets by what serves count
each where it was spent."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct


class EarlierCost(Struct, frozen=True, omit_defaults=True):
    """`nanousd` is the cost of attempts at that target or, where nobody knows it, the most that it
    can have been: a part of what the receipt says of all its attempts."""

    nanousd: int
    target: str | None = None
    provider: str | None = None
    model_wanted: str | None = None


# Whose bytes do not hold it has no such costs.
MARKER: Final = b"earlier_costs"


def split(
    spent_nanousd: int, costs: Iterable[EarlierCost]
) -> tuple[list[tuple[EarlierCost, int]], int]:
    """How much of what a request spent each of these is, and what is left for its last target:
    together never more than all of it."""
    parts, left = [], spent_nanousd
    for one in costs:
        part = min(max(one.nanousd, 0), left)
        left -= part
        parts.append((one, part))
    return parts, left
