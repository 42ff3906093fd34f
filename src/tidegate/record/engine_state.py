"""What is followed of one engine from page to page. Pure: times are arguments."""

from tidegate.core.engine_signals import (
    SCRAPE_S,
    EngineReader,
    Found,
    Measurements,
    Scrape,
)
from tidegate.record.engine_rates import measured, nothing

# An engine that has work and says the very same for so long has stopped saying anything.
FROZEN_S = 60.0
LAST_RETRY_S = 60.0


class EngineState:
    """One engine's pages so far. `up` None: none was asked for yet."""

    def __init__(self, reader: EngineReader) -> None:
        self.up: bool | None = None
        self.why = ""
        self._reader = reader
        self._before: Scrape | None = None
        self._before_s = 0.0
        self._mark_s = 0.0
        self._retry_s = 0.0
        self._due_s = float("-inf")

    def is_due(self, now_s: float) -> bool:
        """Whether its page is to be asked for now; less often while there is none."""
        return now_s >= self._due_s

    def missed(self, now_s: float, why: str) -> Measurements:
        """There was no page."""
        self.up, self.why = False, why
        self._retry_s = min(max(self._retry_s * 2, SCRAPE_S), LAST_RETRY_S)
        self._due_s = now_s + self._retry_s
        return nothing("unreachable")

    def still_missing(self) -> Measurements:
        """It was not asked again since."""
        return nothing("unreachable")

    def take(self, page: bytes, now_s: float) -> Measurements:
        """What a page says that came at `now_s`, in seconds of a clock that nobody sets."""
        self._retry_s, self._due_s = 0.0, float("-inf")
        now = self._reader.read(page)
        if not any(isinstance(one, Found) for one in now.signals.values()):
            self.up, self.why = False, "it has none of the engine's signals"
            return nothing("missing")
        self.up, self.why = True, ""
        before, span_s = self._before, now_s - self._before_s
        if before is None or before.mark != now.mark:
            self._mark_s = now_s
        self._before, self._before_s = now, now_s
        if _has_work(now) and now_s - self._mark_s >= FROZEN_S:
            self.why = "it has work, and nothing on its page changes"
            return nothing("stale")
        return measured(before, now, span_s)


def _has_work(scrape: Scrape) -> bool:
    found = (scrape.signals[name] for name in ("engine_running", "engine_waiting"))
    return any(sum(one.parts.values()) > 0 for one in found if isinstance(one, Found))
