"""What people are told of the loop itself: that its ticks have come to nothing for a while. What it
held is let go then, and no release moves on."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine

from tidegate.control.loop import Status
from tidegate.core import clock
from tidegate.core.controller import Tell
from tidegate.stores import database, notices
from tidegate.stores.errors import StoreError

LOOK_S: Final = 10.0
PATIENCE_S: Final = 60.0

_log = logging.getLogger(__name__)


class LoopNotices:
    """`status` is the loop's newest tick."""

    def __init__(
        self, engine: Engine, status: Callable[[], Status], leads: Callable[[], bool]
    ) -> None:
        self._engine = engine
        self._status = status
        self._leads = leads
        self._before = status()  # of no leadership of this control's, or of another one
        self._since_s: float | None = None
        self._is_told: bool | None = None  # None: whoever led before may have told of it

    async def watch(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await asyncio.to_thread(self.look, clock.monotonic_s())
            except StoreError as error:
                _log.warning("of the loop nothing can be told: %s", error)
            except Exception:  # nothing may end the watch: the next look may go well
                _log.exception("the loop was not looked at")

    def look(self, now_s: float) -> None:
        """By a monotonic clock. StoreError."""
        if not self._leads():
            self._since_s = self._is_told = None
            self._before = self._status()
            return
        status = self._status()
        if status is self._before:
            return
        problem = status.problem
        if problem is None:
            self._since_s = None
            if self._is_told is not False:
                self._note("Its ticks come to something again.", resolved=True)
            return
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s >= PATIENCE_S and not self._is_told:
            self._note(f"What it held is let go, no release moves on: {problem}", resolved=False)

    def _note(self, text: str, *, resolved: bool) -> None:
        told = Tell(
            topic="loop",
            key="loop/ticks",
            severity="ticket",
            title="The control loop's ticks come to nothing",
            text=text,
            resolved=resolved,
        )
        with database.writing(self._engine) as connection:
            notices.note(connection, told, clock.wall_s())
        self._is_told = not resolved
