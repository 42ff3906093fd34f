"""What control does now and then: publish what the plan has not yet, and drop what is old."""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Engine

from tidegate.control.acting import end_what_is_over
from tidegate.control.compiling import Compiling
from tidegate.control.feed_log import FeedLog
from tidegate.control.plans import NoPlan, Plans
from tidegate.controllers import release
from tidegate.core import clock
from tidegate.core.compile import PlanRefused
from tidegate.stores import (
    assessments,
    blocks,
    cache_sums,
    captures,
    changes,
    database,
    decisions,
    feedback,
    fleet,
    judge_scores,
    judged_hits,
    judges,
    readings,
    retention,
    rollouts,
    rollup,
    schedule,
    signal_bins,
    turns,
    unit_homes,
)
from tidegate.stores.errors import StoreError
from tidegate.stores.spending import KEPT_S

KEEP_UP_S = 60.0
CLEAR_OUT_S = 3600.0
_DAY_S = 86_400.0
_CHANGES_KEPT_S = 400 * _DAY_S

_log = logging.getLogger(__name__)


class Upkeep:
    """Of the control that leads; one that stands by does nothing. Both loops run until cancelled,
    and end with nothing that goes wrong."""

    def __init__(
        self,
        engine: Engine,
        plans: Plans,
        compiling: Compiling,
        log: FeedLog,
        leads: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._plans = plans
        self._compiling = compiling
        self._log = log
        self._leads = leads

    async def keep_up(self) -> None:
        """Publish what the store has and the plan has not: a raise or a change that is over, or
        one whose process died before it was published."""
        while True:
            await asyncio.sleep(KEEP_UP_S)
            try:
                if self._leads():
                    await self.publish()
            except (StoreError, OSError, PlanRefused, NoPlan) as error:
                _log.warning("the plan does not keep up with the store: %s", error)
            except Exception:
                _log.exception("the plan does not keep up with the store")

    async def publish(self) -> None:
        """StoreError, OSError, PlanRefused, NoPlan."""
        await asyncio.to_thread(end_what_is_over, self._engine, clock.wall_s())
        if not self._plans.is_announced or await asyncio.to_thread(self._compiling.is_behind):
            await self._plans.amend(self._compiling.changing(lambda _: None))

    async def clear_out(self) -> None:
        """Drop what is older than it is kept."""
        while True:
            try:
                if self._leads():
                    await asyncio.to_thread(self.drop_old, clock.wall_s())
            except StoreError as error:
                _log.warning("old receipts and feed entries cannot be cleared: %s", error)
            except Exception:
                _log.exception("what is old was not cleared")
            await asyncio.sleep(CLEAR_OUT_S)

    def drop_old(self, now_s: float) -> None:
        """Blocking. StoreError."""
        self._log.trim()
        if database.is_shared(self._engine):
            fleet.forget(self._engine)
        rollup.fold(self._engine, now_s - KEPT_S)
        signal_bins.drop_old(self._engine, now_s)
        blocks.drop_old(self._engine, now_s)
        cache_sums.drop_old(self._engine, now_s)
        unit_homes.drop_old(self._engine, now_s)
        decisions.drop_old(self._engine, now_s)
        _forget_ended(self._engine, now_s)
        captures.drop_old(self._engine, now_s, {})
        judge_scores.drop_old(self._engine, now_s - _CHANGES_KEPT_S)
        judges.drop_old(self._engine, now_s - _CHANGES_KEPT_S)
        turns.drop_old(self._engine, now_s)
        with database.writing(self._engine) as connection:
            readings.trim(connection, now_s)
            changes.trim(connection, now_s - _CHANGES_KEPT_S)
            schedule.trim(connection, now_s - _CHANGES_KEPT_S)
        if self._plans.problems:
            return  # a file that cannot be read must not shorten what it meant to keep
        declared = self._plans.declared
        kept_s = declared.storage.retention_days * _DAY_S
        retention.roll_off(self._engine, now_s - kept_s)
        feedback.drop_old(self._engine, now_s - kept_s)
        assessments.drop_old(self._engine, now_s - kept_s)
        judged_hits.drop_old(self._engine, now_s - kept_s)
        routes = declared.routes.items()
        said_s = {name: it.capture.keep_s for name, it in routes if it.capture is not None}
        captures.drop_old(self._engine, now_s, said_s)


def _forget_ended(engine: Engine, now_s: float) -> None:
    """What is remembered of a release goes with the last of its decisions, which can be replayed
    until then. Its file, its states and who asked what stay."""
    last = ""
    while True:
        with database.writing(engine) as connection:
            ended = rollouts.ended_before(connection, now_s - decisions.KEPT_S, after=last)
            if not ended:
                return
            decisions.forget(connection, release.plug.name, ended)
            last = ended[-1]
