"""`python -m tidegate.boot.embedded`: control with the recorder inside, one process.

The recorder works in a thread of its own: a slow ledger must not hold up the API or the feed.
"""

import sys
import threading
from collections.abc import Callable

from sqlalchemy import Engine

from tidegate.control.process import main
from tidegate.control.recording import TellRecorded
from tidegate.core.feed import Status
from tidegate.core.layout import Layout
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.record.sessions import SessionAlert


class EmbeddedRecorder:
    """Control's `Recording`, as a thread."""

    def __init__(self) -> None:
        self._metrics = Metrics()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

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
        # A daemon: if control fails while it ends, the process must not stay for its recorder.
        self._thread = threading.Thread(
            target=recorder.run, args=(self._stop,), name="recorder", daemon=True
        )
        self._thread.start()

    def observe_status(self, gateway: str, status: Status) -> None:
        self._metrics.observe_status(gateway, status)

    def render(self) -> bytes:
        return self._metrics.render()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], EmbeddedRecorder()))
