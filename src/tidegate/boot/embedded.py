"""`python -m tidegate.boot.embedded`: control with the recorder inside, one process.

The recorder works in a thread of its own, and so do what takes in spools and what reads the
engines: a slow ledger must not hold up the API or the feed, nor a slow engine the ledger. So does
what looks at live answers.
"""

import gc
import os
import sys
import threading
from collections.abc import Callable
from functools import partial

if __name__ == "__main__":
    gc.disable()  # of what is loaded here nothing is garbage

from sqlalchemy import Engine

from tidegate.control import secret_refs
from tidegate.control.process import Beside
from tidegate.control.recording import TellRecorded
from tidegate.control.starting import main
from tidegate.core.feed import Status
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan
from tidegate.core.sli import OfRoute
from tidegate.evals.online import OnlineQuality
from tidegate.record.engine_metrics import EngineMetrics
from tidegate.record.engine_pages import fetch
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.record.scraper import Scraper
from tidegate.record.sessions import SessionAlert
from tidegate.record.spools import Spools


class EmbeddedRecorder:
    """Control's `Recording`, as a thread."""

    def __init__(self) -> None:
        self._metrics = Metrics()
        self._stop = threading.Event()
        self._engines = EngineMetrics()
        self._spools: Spools | None = None
        self._threads: list[threading.Thread] = []
        self._patience_of: OfRoute | None = None
        self._fold_every_s: Callable[[], float] | None = None

    def judge_by(self, patience_of: OfRoute) -> None:
        self._patience_of = patience_of

    def fold_every(self, every_s: Callable[[], float]) -> None:
        self._fold_every_s = every_s

    def start(
        self,
        layout: Layout,
        engine: Engine,
        tell: TellRecorded,
        *,
        litellm_names: bool,
        session_alert_tokens: Callable[[], int],
    ) -> None:
        self._metrics = Metrics(litellm=litellm_names)
        recorder = Recorder(layout, engine, self._metrics, recorded=tell)
        recorder.sessions = SessionAlert(session_alert_tokens)
        if self._patience_of is not None:
            recorder.folding.judge_by(self._patience_of)
        if self._fold_every_s is not None:
            recorder.folding.every_s = self._fold_every_s
        self._begin("recorder", recorder.run)
        self._spools = Spools(layout, engine)
        self._begin("spools", self._spools.run)

    def read_engines(self, engine: Engine, plan: Callable[[], Plan | None]) -> None:
        get = partial(fetch, find=partial(secret_refs.find, environ=os.environ))
        self._begin("engines", Scraper(engine, plan, self._engines, get=get).run)

    def observe_status(self, gateway: str, status: Status) -> None:
        self._metrics.observe_status(gateway, status)

    def render(self) -> bytes:
        spools = b"" if self._spools is None else self._spools.render()
        return self._metrics.render() + self._engines.render() + spools

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _begin(self, name: str, run: Callable[[threading.Event], None]) -> None:
        # A daemon: if control fails while it ends, the process must not stay for its recorder.
        thread = threading.Thread(target=run, args=(self._stop,), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)


if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    sys.exit(main(sys.argv[1:], Beside(EmbeddedRecorder(), OnlineQuality())))
