"""Assessments of releases to their blocks: each counted once, by the control that leads.

What is found of an answer comes minutes or days after it. It is compared with what was found of
others that were made at the same weight, in groups (`stats.late_fold`), each of which is stored as
a block of its release for the loop to take in. Blocks are stored and assessments marked in one
transaction, fenced by the loop's leadership; one in which any of them was marked before is undone.
"""

import logging
from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, Engine

from tidegate.control.weight_history import WeightHistory
from tidegate.core.arm import Arm
from tidegate.core.assessment import AssessedAs, Assessment
from tidegate.core.block import Block
from tidegate.core.rollout import Rollout
from tidegate.stats.late_fold import Before, Found, block_of, cut
from tidegate.stores import assessments, blocks, database, leadership, rollouts
from tidegate.stores.assessments import Marked

_log = logging.getLogger(__name__)

# What lies waiting of one release, less than the groups of all its metrics and weights may hold.
MAX_READ: Final = 20_000

_ByStratum = dict[tuple[AssessedAs, float], list[Found]]


class _Fold(Struct):
    """What is to be stored of one release: the blocks, and the numbers of all that is in them or
    never will be. `is_short`: of some it is not known yet at which weight they were made."""

    blocks: list[Block]
    marked: list[int]
    is_short: bool = False


class Assessing:
    """From one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rollouts: dict[str, Rollout] = {}
        self._weights: dict[str, WeightHistory] = {}
        # What waits of a release and was looked at in vain: how many, and the newest's number.
        self._known: dict[str, tuple[int, int]] = {}

    def fold(self, epoch: int) -> None:
        """Everything that can be compared by now, in the leadership of that epoch. Fenced,
        StoreError."""
        with database.reading(self._engine) as connection:
            waiting = assessments.waiting(connection)
            if not waiting:
                return
            at_work = {it.rollout.id for it in rollouts.under_way(connection, self._rollouts)}
        self._forget(at_work)
        for rollout, how_much in waiting.items():
            if rollout not in at_work:
                self._leave_out(epoch, rollout)
            elif self._known.get(rollout) != how_much:
                found = self._read(rollout)
                if found.marked:
                    self._store(epoch, found)
                elif not found.is_short:
                    self._known[rollout] = how_much

    def _forget(self, at_work: Iterable[str]) -> None:
        """All but these have ended."""
        for of in (self._weights, self._known):
            for rollout in set(of).difference(at_work):
                of.pop(rollout, None)

    def _read(self, rollout: str) -> _Fold:
        """One snapshot's."""
        with database.reading(self._engine) as connection:
            weights = self._weights.setdefault(rollout, WeightHistory())
            weights.add(blocks.weighed(connection, rollout, weights.seq))
            found = _Fold([], [])
            strata: _ByStratum = {}
            for seq, one in assessments.unfolded(connection, rollout=rollout, most=MAX_READ):
                weight = weights.at(one.started_at_s)
                if weight == "later":
                    found.is_short = True
                elif weight is None or one.is_bad is None or one.arm in (None, "shadow"):
                    found.marked.append(seq)
                else:
                    stratum = strata.setdefault((one.assessed_as, weight), [])
                    stratum.append(_found(seq, one, one.arm, is_bad=one.is_bad))
            for (metric, weight), several in strata.items():
                groups, left_out = cut(several)
                found.marked += left_out
                whose = assessments.OfRelease(rollout, metric, *weights.span_s(weight))
                for group in groups:
                    found.marked += [one.seq for one in group]
                _add_blocks(connection, found, whose, (weight, groups))
        return found

    def _store(self, epoch: int, found: _Fold) -> None:
        """All of it or, where somebody has marked or deleted some of them meanwhile, nothing."""
        try:
            with database.writing(self._engine) as connection:
                leadership.check(connection, epoch)
                assessments.note_folded(connection, found.marked)
                for block in found.blocks:
                    blocks.append(connection, blocks.ASSESSED, block, 0, 0)
        except Marked:
            _log.info("assessments changed while they were counted: they are read again")

    def _leave_out(self, epoch: int, rollout: str) -> None:
        """It has ended, and what is found of its requests now counts for nothing."""
        with database.writing(self._engine) as connection:
            leadership.check(connection, epoch)
            assessments.leave_out(connection, rollout)


def _found(seq: int, one: Assessment, arm: Arm, *, is_bad: bool) -> Found:
    unit = None if one.unit_kind == "request" else one.unit
    return Found(seq, one.started_at_s, arm, unit, is_bad)


def _add_blocks(
    connection: Connection,
    found: _Fold,
    whose: assessments.OfRelease,
    cut_at: tuple[float, list[list[Found]]],
) -> None:
    """The groups of one metric at one weight; what one says of its units is before the next."""
    weight, groups = cut_at
    units = {one.unit for group in groups for one in group if one.unit is not None}
    before: dict[tuple[Arm, int], Before] = {}
    for arm, unit, judged, bad, spoke in assessments.of_units(connection, whose, units):
        before[arm, unit] = Before(judged, bad, spoke)
    for group in groups:
        found.blocks.append(block_of(whose.assessed_as, whose.rollout, weight, group, before))
        for one in group:
            if one.unit is not None:
                judged, bad, _ = before.get((one.arm, one.unit), Before())
                before[one.arm, one.unit] = Before(judged + 1, bad + one.is_bad, spoke=True)
