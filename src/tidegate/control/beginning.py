"""Scheduled changes begin when their time has come: looked at once a second by the control that
leads. One that may not hold any more, or whose time went by while no control ran, does not begin,
and people are told."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Engine

from tidegate.control import change_notices, reach
from tidegate.core import clock
from tidegate.core.levers import wrong
from tidegate.core.plan import Plan
from tidegate.stores import changes, database, schedule
from tidegate.stores.audit import Author
from tidegate.stores.changes import ChangeRefused
from tidegate.stores.errors import StoreError
from tidegate.stores.schedule import Scheduled

LOOK_S: Final = 1.0
_MISSED = "missed: its time went by before it could begin"

_log = logging.getLogger(__name__)


class Beginning:
    """`plan` gives what gateways obey now."""

    def __init__(self, engine: Engine, plan: Callable[[], Plan], leads: Callable[[], bool]) -> None:
        self._engine = engine
        self._plan = plan
        self._leads = leads

    async def watch(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if self._leads():
                    await asyncio.to_thread(self.look, clock.wall_s())
            except StoreError as error:
                _log.warning("scheduled changes cannot be looked at: %s", error)
            except Exception:  # nothing may end the watch: the next look may go well
                _log.exception("scheduled changes were not looked at")

    def look(self, now_s: float) -> None:
        """Begin what should hold now. StoreError."""
        with database.reading(self._engine) as connection:
            due = schedule.due(connection, now_s)
        for one in due:
            try:
                with database.writing(self._engine) as connection:
                    self._begin(connection, one, now_s)
            except ChangeRefused as error:
                with database.writing(self._engine) as connection:
                    _give_up(connection, one, f"refused: {error}", now_s)

    def _begin(self, connection: Connection, one: Scheduled, now_s: float) -> None:
        if one.until_s <= now_s:
            _give_up(connection, one, _MISSED, now_s)
            return
        what = refusal(connection, self._plan(), one, now_s)
        if what is not None:
            raise ChangeRefused(what)
        begun = schedule.begin(connection, one, now_s)
        if begun is not None:
            change_notices.begins(connection, begun, now_s)
            _log.info("change %s begins: %s of %s", begun.id, begun.lever, begun.scope)


def refusal(connection: Connection, plan: Plan, one: Scheduled, now_s: float) -> str | None:
    """Why the plan and what is in force leave no room for a change; None where they do."""
    change = one.change
    missing = wrong(change.lever, change.scope, change.value)  # another Tidegate may know it
    missing = missing or reach.missing(plan, change.lever, change.scope)
    if missing is not None or change.lever != "target_off" or not change.value or one.anyway:
        return missing
    left = reach.left_without(plan, changes.in_force(connection, now_s), change.scope)
    return f"with {change.scope} off nothing serves {', '.join(left)}" if left else None


def _give_up(connection: Connection, one: Scheduled, why: str, now_s: float) -> None:
    if not schedule.close(connection, one, Author("control", now_s), why):
        return
    change = one.change
    change_notices.never_begins(connection, change, why, now_s)
    _log.warning("change %s of %s did not begin: %s", change.id, change.author, why)
