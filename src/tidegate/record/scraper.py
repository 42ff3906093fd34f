"""Reads the engines behind a plan's targets, every ten seconds, into the store and `/metrics`.

An engine that does not answer holds up no other, and a store that takes nothing is tried again
with a bounded number of samples; nothing here may end the thread, and nothing else waits for it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from sqlalchemy import Engine

from tidegate.core import clock, plugs
from tidegate.core.engine_signals import SCRAPE_S, Measurements
from tidegate.core.plan import Plan
from tidegate.core.words import quoted
from tidegate.record.engine_metrics import EngineMetrics
from tidegate.record.engine_pages import (
    TIMEOUT_S,
    Fetch,
    Followed,
    Page,
    Unreachable,
    fetch,
    pages_of,
)
from tidegate.record.engine_state import EngineState
from tidegate.stores import database, readings
from tidegate.stores.errors import StoreError
from tidegate.stores.readings import EngineSample

_AT_ONCE = 16
# Beyond what a page may take: looking up a host's name has no bound of ours.
_PATIENCE_S = TIMEOUT_S + 1.0
_MAX_WAITING = 5_000

_log = logging.getLogger(__name__)


class _Answer(NamedTuple):
    told: bytes | Unreachable
    now_s: float
    at_s: float


class Scraper:
    """Needs the migrated database. `plan` is None where another control reads the engines."""

    def __init__(
        self,
        engine: Engine,
        plan: Callable[[], Plan | None],
        metrics: EngineMetrics,
        *,
        get: Fetch = fetch,
        now: tuple[Callable[[], float], Callable[[], float]] = (clock.since_boot_s, clock.wall_s),
    ) -> None:
        self._engine = engine
        self._plan = plan
        self._metrics = metrics
        self._get = get
        self._now_s, self._wall_s = now
        self._states: dict[Page, EngineState] = {}
        self._asked: dict[Page, Future[_Answer]] = {}
        self._waiting: deque[EngineSample] = deque(maxlen=_MAX_WAITING)
        self._refused = False

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        pool = ThreadPoolExecutor(_AT_ONCE, "engine-page")
        while not stop.is_set():
            began_s = clock.monotonic_s()
            try:
                self.step(pool)
            except Exception:
                _log.exception("reading the engines met something unforeseen and goes on")
            stop.wait(max(SCRAPE_S - (clock.monotonic_s() - began_s), 1.0))
        pool.shutdown(wait=False, cancel_futures=True)

    def step(self, pool: Executor) -> None:
        """One look at every engine."""
        plan = self._plan()
        followed = () if plan is None else self._followed(plan)
        pages = list(dict.fromkeys(one.page for one in followed))
        self._states = {page: self._states.get(page) or _state_of(page) for page in pages}
        now_s = self._now_s()
        for page, state in self._states.items():
            if page not in self._asked and state.is_due(now_s):
                self._asked[page] = pool.submit(self._ask, page)
        wait(self._asked.values(), timeout=_PATIENCE_S)
        found = {page: self._look(page, state) for page, state in self._states.items()}
        self._asked = {page: asked for page, asked in self._asked.items() if not asked.done()}
        samples = [
            EngineSample(one.target, one.replica, one.page.engine, at_s, measured)
            for one in followed
            for at_s, measured in (found[one.page],)
        ]
        up = [(one.target, one.replica, bool(self._states[one.page].up)) for one in followed]
        self._metrics.replace(samples, up)
        self._store(samples)

    def _followed(self, plan: Plan) -> Sequence[Followed]:
        try:
            return pages_of(plan)
        except plugs.PlugError as error:
            _log.error("engines are not read: %s", error)
            return ()

    def _ask(self, page: Page) -> _Answer:
        """In a thread of the pool."""
        try:
            told: bytes | Unreachable = self._get(page)
        except Unreachable as error:
            told = error
        return _Answer(told, self._now_s(), self._wall_s())

    def _look(self, page: Page, state: EngineState) -> tuple[float, Measurements]:
        """What came of the page that was asked for, and when (wall clock)."""
        asked = self._asked.get(page)
        if asked is None:
            return self._wall_s(), state.still_missing()
        was = state.up, state.why
        if not asked.done():
            at_s, found = self._wall_s(), state.missed(self._now_s(), "it takes too long")
        else:
            told, now_s, at_s = asked.result()
            if isinstance(told, Unreachable):
                found = state.missed(now_s, str(told))
            else:
                found = state.take(told, now_s)
        if (state.up, state.why) != was:
            _tell(page, state)
        return at_s, found

    def _store(self, samples: Iterable[EngineSample]) -> None:
        self._waiting.extend(samples)
        if not self._waiting:
            return
        try:
            with database.writing(self._engine, alone=False) as connection:
                readings.add(connection, list(self._waiting))
        except StoreError as error:
            if not self._refused:
                _log.error("the store takes no readings of engines: %s", error)
            self._refused = True
            return
        self._refused = False
        self._waiting.clear()


def _state_of(page: Page) -> EngineState:
    return EngineState(plugs.load("engines", page.engine))


def _tell(page: Page, state: EngineState) -> None:
    """Once when it begins and once when it ends."""
    if state.why:
        _log.warning("the engine at %s tells nothing: %s", quoted(page.url), state.why)
    else:
        _log.info("the engine at %s tells of itself", quoted(page.url))
