"""Notices on their way to people: once a second decide where the new ones go, and send.

Each way that has something to send has a thread of its own, so that one which is slow or down
delays no other. Only the control that leads sends. What was sent and not yet written down when the
process dies is sent again under the same id, or left as unknown where the receiver knows none.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tidegate.control import posting
from tidegate.control.posting import Talk
from tidegate.control.sending import send, way_of
from tidegate.core import clock
from tidegate.core.declared_notifications import DeclaredNotifications
from tidegate.core.notice import Message, NotDelivered, Notice
from tidegate.core.ways import Posted, PostGone, Told, fits, only_edits
from tidegate.stores import database, deliveries, notices, posts, told
from tidegate.stores.errors import StoreError
from tidegate.stores.told import Delivery

LOOK_S: Final = 1.0
_KEPT_S = 400 * 86_400.0
_TRIM_S = 3600.0
_IN_A_ROW = 50
_WRITE_AGAIN_S = (0.2, 1.0, 3.0, 10.0)
_LAST_WORDS_S = 3.0
_RENEWED_FOR_S = 7 * 86_400.0
_RESOLVED_FOR_S = 15 * 60.0

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Notifying:
    """`declared` gives how people are told now, None while no plan could be read and everything
    waits; `tries` counts by way and outcome."""

    def __init__(
        self,
        engine: Engine,
        declared: Callable[[], DeclaredNotifications | None],
        environ: Mapping[str, str],
        leads: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._declared_now = declared
        self._declared = DeclaredNotifications()
        self._environ = environ
        self._leads = leads
        self._threads: dict[str, threading.Thread] = {}
        self._renewed_at_s: dict[str, float] = {}
        self._trimmed_at_s: float | None = None
        self._ending = threading.Event()
        self.tries: Counter[tuple[str, str]] = Counter()

    async def watch(self) -> None:
        """Look once a second; runs until cancelled, then waits a little for what is under way."""
        try:
            while True:
                if self._leads():
                    await asyncio.to_thread(self._look_safely)
                await asyncio.sleep(LOOK_S)
        finally:
            self._ending.set()
            until_s = clock.monotonic_s() + _LAST_WORDS_S
            for thread in self._threads.values():
                thread.join(max(0.0, until_s - clock.monotonic_s()))

    def look(self, now_s: float) -> list[str]:
        """Decide where what is new goes; the ways that have something to send."""
        self._trim(now_s)
        declared = self._declared_now()
        if declared is None:
            return []
        self._declared = declared
        with database.reading(self._engine) as connection:
            anything_new = deliveries.anything_new(connection, now_s)
        if anything_new:
            with database.writing(self._engine) as connection:
                notices.lapse(connection, now_s)
                nowhere = deliveries.route(connection, self._ways_of, now_s)
                deliveries.end_told(connection, now_s)
            if nowhere and self._declared.ways:
                what = f"{nowhere[0].title} ({nowhere[0].topic}, {nowhere[0].severity})"
                _log.warning("nobody is told of %d notices, as of %s", len(nowhere), what)
        with database.reading(self._engine) as connection:
            busy = deliveries.busy(connection)
        return sorted({*busy, *self._to_renew()})

    def serve(self, way: str) -> None:
        """Send what waits for a way until nothing does, or until the way does not take it."""
        self._renew(way)
        for _ in range(_IN_A_ROW):
            if self._ending.is_set() or not self._serve_one(way):
                return

    def send(self, way: str, message: Message, posted: Posted | None = None) -> Told:
        """Tell a way, now, by changing what was posted if there is such. NotDelivered."""
        return send(self._declared, self._environ, way, message, posted)

    def _look_safely(self) -> None:
        try:
            for way in self.look(clock.wall_s()):
                before = self._threads.get(way)
                if before is None or not before.is_alive():
                    name = f"way {way}"
                    thread = threading.Thread(target=self._run, args=(way,), name=name, daemon=True)
                    self._threads[way] = thread
                    thread.start()
        except StoreError as error:
            _log.warning("notices cannot be looked at: %s", error)
        except Exception:  # nothing may end the watch: the next look may go well
            _log.exception("notices were not looked at")

    def _run(self, way: str) -> None:
        try:
            self.serve(way)
        except StoreError as error:
            _log.warning("notices for %s cannot be read or written: %s", way, error)
        except Exception:
            _log.exception("notices for %s were not sent", way)

    def _ways_of(self, notice: Notice) -> list[str]:
        return [name for name, one in self._declared.ways.items() if fits(one, notice)]

    def _serve_one(self, way: str) -> bool:
        """Whether to go on with the next message."""
        now_s = clock.wall_s()
        repeatable = self._is_repeatable(way)
        with database.writing(self._engine) as connection:
            claimed = deliveries.claim(connection, way, now_s, repeatable)
            if claimed is None:
                return False
            delivery, found = claimed
            talk = posting.find(connection, self._declared.ways.get(way), delivery, found)
            message = self._message(delivery, found, talk)
            if talk is not None:
                edits = only_edits(message, talk.posted)
                deliveries.says(connection, delivery, only_edits=edits)
                if talk.posted is not None:  # whatever becomes of it: the post may say it already
                    posting.keep(connection, talk, delivery, found, talk.posted)
        try:
            told = self._send(delivery, message, talk)
        except NotDelivered as error:
            why = _known_again(error) if repeatable else error
        except Exception as error:
            _log.exception("way %s failed", way)
            why = NotDelivered(f"it failed here: {type(error).__name__}")
        else:
            self.tries[way, "delivered"] += 1
            at_s = clock.wall_s()

            def keep(connection: Connection) -> None:
                deliveries.delivered(connection, delivery, at_s, told.remark)
                if talk is not None and told.posted is not None:
                    posting.keep(connection, talk, delivery, found, told.posted)

            self._write(keep)
            return True
        return self._failed(delivery, why)

    def _send(self, delivery: Delivery, message: Message, talk: Talk | None) -> Told:
        """Where the post is gone it is made anew. That is written down first, as it may be done
        but once."""
        if talk is None or talk.posted is None:
            return self.send(delivery.way, message)
        try:
            return self.send(delivery.way, message, talk.posted)
        except PostGone as gone:
            _log.info("the post of %s by %s is made anew: %s", talk.thing, delivery.way, gone)
        with database.writing(self._engine) as connection:
            posts.forget(connection, delivery.way, talk.thing)
            deliveries.says(connection, delivery, only_edits=False)
        return self.send(delivery.way, message)

    def _failed(self, delivery: Delivery, why: NotDelivered) -> bool:
        at_s = clock.wall_s()
        after = self._write(lambda c: deliveries.failed(c, delivery, why, at_s))
        self.tries[delivery.way, after.state if after.ended_at_s else "failed"] += 1
        what = {"dead": "gave up telling", "unknown": "may not have told"}
        _log.warning(
            "%s %s of %s: %s", what.get(after.state, "could not tell"), after.way, after.id, why
        )
        return after.state != "waiting"

    def _write(self, what: Callable[[Connection], T]) -> T:
        """Write down what became of a message, also where the store is away for a moment."""
        for pause_s in _WRITE_AGAIN_S:
            try:
                with database.writing(self._engine) as connection:
                    return what(connection)
            except StoreError as error:
                _log.warning("what became of a notice is not written down yet: %s", error)
                self._ending.wait(pause_s)
        with database.writing(self._engine) as connection:
            return what(connection)

    def _message(self, delivery: Delivery, found: list[Notice], talk: Talk | None) -> Message:
        """The same at each try: what is told for the first time says nothing of its end."""
        if delivery.ends is None:
            found = [replace(one, resolved_at_s=None, resolution=None) for one in found]
        source = self._declared.source
        earlier = () if talk is None else talk.earlier
        return Message(delivery.id, source, delivery.at_s, tuple(found), delivery.ends, earlier)

    def _is_repeatable(self, way: str) -> bool:
        declared = self._declared.ways.get(way)
        return declared is not None and way_of(declared.kind).repeatable

    def _to_renew(self) -> list[str]:
        """The ways whose receiver must hear by now that what was told still holds."""
        now_s = clock.monotonic_s()
        found = []
        for name, declared in self._declared.ways.items():
            every_s = way_of(declared.kind).renew_s
            if every_s is not None and now_s - self._renewed_at_s.get(name, -every_s) >= every_s:
                found.append(name)
        return found

    def _renew(self, way: str) -> None:
        if way not in self._to_renew():
            return
        now_s = clock.wall_s()
        since_s, over_s = now_s - _RENEWED_FOR_S, now_s - _RESOLVED_FOR_S
        with database.reading(self._engine) as connection:
            found = tuple(told.told_lately(connection, way, since_s, over_s))
        try:
            if found:
                self.send(way, Message(way, self._declared.source, now_s, found))
        except NotDelivered as error:
            _log.warning("%s could not be told what still holds: %s", way, error)
        finally:
            self._renewed_at_s[way] = clock.monotonic_s()

    def _trim(self, now_s: float) -> None:
        at_s = clock.monotonic_s()
        if self._trimmed_at_s is None or at_s - self._trimmed_at_s >= _TRIM_S:
            with database.writing(self._engine) as connection:
                notices.trim(connection, now_s - _KEPT_S)
                posts.trim(connection, now_s - _KEPT_S)
            self._trimmed_at_s = at_s


def _known_again(error: NotDelivered) -> NotDelivered:
    return NotDelivered(error.reason, final=error.final, retry_after_s=error.retry_after_s)
