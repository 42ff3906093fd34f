"""Two blocks of one release as one, as far as their comparison reads them."""

from collections.abc import Callable, Mapping
from operator import add
from typing import TypeVar

from tidegate.core.block import ArmBlock, Block, Tally
from tidegate.stats.level import summed


def joined(one: Block, other: Block) -> Block:
    """In the order in which they came, at one weight."""
    return Block(
        other.rollout,
        other.number,
        one.began_s,
        other.ended_s,
        other.weight,
        _both(one.stable, other.stable),
        _both(one.canary, other.canary),
        other.dear_nanousd,
    )


def _both(one: ArmBlock, other: ArmBlock) -> ArmBlock:
    """What the comparison reads of two blocks of one arm."""
    return ArmBlock(
        assigned=one.assigned + other.assigned,
        tallies=_by_name(one.tallies, other.tallies, _tallied),
        moments=_by_name(one.moments, other.moments, summed),
        by_unit=_by_name(one.by_unit, other.by_unit, summed),
        bad_pairs=_by_name(one.bad_pairs, other.bad_pairs, add),
    )


T = TypeVar("T")


def _by_name(
    one: Mapping[str, T], other: Mapping[str, T], both: Callable[[T, T], T]
) -> dict[str, T]:
    found = dict(one)
    for name, value in other.items():
        found[name] = both(found[name], value) if name in found else value
    return found


def _tallied(one: Tally, other: Tally) -> Tally:
    return Tally(one.judged + other.judged, one.bad + other.bad)
