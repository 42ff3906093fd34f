"""What is found of requests after they were made, to blocks: enough of both arms at a time.

A group is of requests that were made at one weight, of a stretch of time which is as long as it
takes until both arms have enough in it. Which are compared with which depends on how many came and
on when they were made, never on what was found. A unit speaks once at each weight, by the mean of
the first that are found of it, as in `stats.block_fold`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tidegate.core.arm import Arm
from tidegate.core.block import ArmBlock, Block, Moments, Tally
from tidegate.stats.block_fold import EARLY_REQUESTS, FIRST_REQUESTS, TOGETHER_S

# An arm with less than this waits for more.
LEAST_A_GROUP: Final = 5
# Of those that wait so many do; the oldest of the arm that has more are never compared. Fewer than
# five in the other say hardly more against a thousand than against a hundred.
MAX_WAITING: Final = 1000


class Found(NamedTuple):
    """One request, found good or bad under the number `seq`. It has no `unit` where it is one by
    itself. The time is on the wall."""

    seq: int
    started_at_s: float
    arm: Arm
    unit: int | None
    is_bad: bool


class Before(NamedTuple):
    """What was counted of a unit in an arm, and whether it `spoke` at this weight."""

    judged: int = 0
    bad: int = 0
    spoke: bool = False


class Cut(NamedTuple):
    """`groups` to be compared, each within itself; the numbers of those that never will be."""

    groups: list[list[Found]]
    left_out: list[int]


_NOTHING: Final = Before()


def cut(found: Iterable[Found]) -> Cut:
    """Of one metric at one weight. What is in no group and not left out waits for more.

    The last group has all that came: where what is bad is told sooner, the newest of what waits
    are the bad ones, and a group that ends where the arm with less has enough has more of those in
    that arm."""
    groups: list[list[Found]] = []
    group: list[Found] = []
    lacking = {"stable": LEAST_A_GROUP, "canary": LEAST_A_GROUP}
    for one in sorted(found, key=lambda it: (it.started_at_s, it.seq)):
        enough = max(lacking.values()) <= 0
        if enough and one.started_at_s - group[0].started_at_s >= TOGETHER_S:
            groups.append(group)
            group, lacking = [], dict.fromkeys(lacking, LEAST_A_GROUP)
        group.append(one)
        lacking[one.arm] -= 1
    if max(lacking.values()) <= 0:
        return Cut([*groups, group], [])
    if groups:
        groups[-1] += group  # or it would end with one of the arm that was waited for
        return Cut(groups, [])
    more = min(lacking, key=lambda arm: lacking[arm])
    of_more = [one.seq for one in group if one.arm == more]
    surplus = max(0, len(group) - MAX_WAITING)
    return Cut(groups, of_more[:surplus])


def block_of(
    metric: str,
    rollout: str,
    weight: float,
    group: Sequence[Found],
    before: Mapping[tuple[Arm, int], Before],
) -> Block:
    """A group as a block; `before` has what was counted of its units earlier."""
    stable, canary = (
        _arm(metric, [one for one in group if one.arm == arm], before)
        for arm in ("stable", "canary")
    )
    began_s, ended_s = group[0].started_at_s, group[-1].started_at_s
    return Block(rollout, 0, began_s, ended_s, weight, stable, canary, late=metric)


def _arm(metric: str, found: Sequence[Found], before: Mapping[tuple[Arm, int], Before]) -> ArmBlock:
    tally = Tally(len(found), sum(one.is_bad for one in found))
    arm = ArmBlock(tallies={metric: tally})
    units: dict[tuple[Arm, int], list[bool]] = {}
    for one in found:
        if one.unit is not None:
            units.setdefault((one.arm, one.unit), []).append(one.is_bad)
    spoken, bad_pairs = Moments(), 0
    for unit, said in units.items():
        judged, bad, spoke = before.get(unit, _NOTHING)
        for is_bad in said:
            arm.pairs += judged
            if judged < EARLY_REQUESTS:
                arm.early_pairs += judged
                bad_pairs += bad if is_bad else 0
                bad += is_bad
            judged += 1
        if not spoke:
            first = said[:FIRST_REQUESTS]
            spoken.add(sum(first) / len(first))
    if spoken.count:
        arm.by_unit[metric] = spoken
    if bad_pairs:
        arm.bad_pairs[metric] = bad_pairs
    return arm
