"""What people are told of models that are going: 90 and 30 days before, and once they are gone.

A notice is of one target, names the routes that reach it, and ends when none does any more.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from typing import Final

from sqlalchemy import Engine

from tidegate.core import clock
from tidegate.core.controller import Tell
from tidegate.core.notice import Severity
from tidegate.core.plan import Plan, Target
from tidegate.core.retirement import TOLD_DAYS, day_of, retirement_text, retiring
from tidegate.stores import database, notices
from tidegate.stores.errors import StoreError

LOOK_S: Final = 60.0
_MOST_OPEN: Final = 10_000

_log = logging.getLogger(__name__)


class Retiring:
    """`plan` is the one in force."""

    def __init__(self, engine: Engine, plan: Callable[[], Plan], leads: Callable[[], bool]) -> None:
        self._engine = engine
        self._plan = plan
        self._leads = leads
        self._told: frozenset[tuple[str, str]] | None = None  # None: who led before may have told

    async def watch(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await asyncio.to_thread(self.look, clock.wall_s())
            except StoreError as error:
                _log.warning("of retiring models nothing can be told: %s", error)
            except Exception:  # nothing may end the watch: the next look may go well
                _log.exception("retiring models were not looked at")

    def look(self, now_s: float) -> None:
        """At wall-clock seconds. StoreError."""
        if not self._leads():
            self._told = None
            return
        today = day_of(now_s)
        found = [
            _tell(target, routes, today)
            for target, routes in retiring(self._plan(), today, TOLD_DAYS[0])
        ]
        told = frozenset((tell.key, tell.severity) for tell in found)
        if told == self._told:
            return
        with database.writing(self._engine) as connection:
            is_open = notices.recent(connection, only_open=True, limit=_MOST_OPEN)
            for tell in found:
                notices.note(connection, tell, now_s)
            for key in {it.key for it in is_open if it.topic == "model"} - {it.key for it in found}:
                notices.note(connection, _end(key), now_s)
        self._told = told


def _tell(target: Target, routes: tuple[str, ...], today: date) -> Tell:
    left = 0 if target.facts is None else target.facts.days_left(today) or 0
    day = None if target.facts is None else target.facts.retires_on
    severity: Severity = "page" if left <= 0 else "ticket" if left <= TOLD_DAYS[1] else "info"
    return Tell(
        topic="model",
        # By its day: where that moves, what was told ends, and people are told anew.
        key=f"model/{target.name}/{day}",
        severity=severity,
        title=f"The model of the target {target.name} {'is going' if left > 0 else 'has gone'}",
        text=f"{retirement_text(target, today)}. Routes: {', '.join(routes)}.",
    )


def _end(key: str) -> Tell:
    text = "No route reaches it any more, or its day is another."
    return Tell(topic="model", key=key, severity="info", title=key, text=text, resolved=True)
