"""Priority classes: who is served first when not everybody can be, and who is shed first.

A key grants a class; its caller may ask for a lower one, never for a higher one.
"""

from typing import Final, Literal

Priority = Literal["interactive", "standard", "batch"]

PRIORITIES: Final[tuple[Priority, ...]] = ("interactive", "standard", "batch")
_RANKS: Final = {name: rank for rank, name in enumerate(PRIORITIES)}


def rank(priority: Priority) -> int:
    """0 is served first; the greatest is shed first."""
    return _RANKS[priority]


def lower(one: Priority, other: Priority) -> Priority:
    """The one that is served later."""
    return one if _RANKS[one] >= _RANKS[other] else other
