"""When one replica with one credential of a target is left alone, and when it is tried again.

Closed, it serves. So many failures in a row within a window open it: nothing is sent there for a
while. Then it is half open: one request tries it, and what comes of that closes or opens it. Times
are monotonic seconds and arguments.
"""

from collections.abc import Mapping
from typing import Final, Literal

from tidegate.core.resilience import Breaker

State = Literal["closed", "open", "half_open"]
# What an attempt says of its target. `dropped` says nothing: its client left, or the no was ours.
Verdict = Literal["worked", "failed", "dropped"]

# (state, is this the request that tries it, verdict) -> the next state, where it is another. Who
# was sent before it opened, or because nothing else was left, may close it and not hold it open.
TURNS: Final[Mapping[tuple[State, bool, Verdict], State]] = {
    ("open", False, "worked"): "closed",
    ("half_open", False, "worked"): "closed",
    ("half_open", True, "worked"): "closed",
    ("half_open", True, "failed"): "open",
    ("half_open", True, "dropped"): "open",
}


class Tripped:
    """How many breakers of one target are not closed, and how many of its credentials have been
    refused and not accepted since. Of most targets none is, which costs a look."""

    __slots__ = ("count", "refused")

    def __init__(self) -> None:
        self.count = self.refused = 0


class CircuitBreaker:
    """One breaker. `failures` are those in a row, the first of them at `_first_s`."""

    __slots__ = (
        "_first_s",
        "failures",
        "opened",
        "opened_s",
        "retry_s",
        "rules",
        "state",
        "tripped",
    )

    def __init__(self, rules: Breaker, tripped: Tripped) -> None:
        self.rules = rules
        self.state: State = "closed"
        self.failures = 0
        self.opened = 0
        self.opened_s = self.retry_s = 0.0
        self._first_s = 0.0
        self.tripped = tripped

    def allows(self, now_s: float) -> bool:
        """Whether a request may go there; a half open one has the request that tries it."""
        return self.state == "closed" or (self.state == "open" and now_s >= self.retry_s)

    def enter(self, now_s: float) -> bool:
        """A request goes there. Whether it is the one that tries an open breaker."""
        if self.state != "open" or now_s < self.retry_s:
            return False
        self.state = "half_open"
        return True

    def told(self, verdict: Verdict, tries: bool, now_s: float) -> None:
        """What came of a request; `tries` is what `enter` said of it."""
        if self.state == "closed":
            if verdict == "failed":
                self._count(now_s)
            elif verdict == "worked":
                self.failures = 0
            return
        state = TURNS.get((self.state, tries, verdict), self.state)
        if state == self.state:
            return
        if state == "open":
            # Nothing was learnt of it where the one that tried it was dropped: the next may.
            self._open(now_s, self.rules.open_s if verdict == "failed" else 0.0)
        else:
            self._close()

    def began(self, now_s: float) -> None:
        """The request that tries it has the first content of its answer, whose end may be far:
        others may follow, and the next failure opens it again."""
        if self.state == "half_open":
            self._close()
            self.failures, self._first_s = self.rules.failures - 1, now_s

    def probed(self, verdict: Verdict, tries: bool, now_s: float) -> None:
        """What came of a probe. One that fails keeps requests away for longer."""
        if self.state == "open" and verdict == "failed":
            self.retry_s = max(self.retry_s, now_s + self.rules.open_s)
        else:
            self.told(verdict, tries, now_s)

    def _count(self, now_s: float) -> None:
        if not self.failures or now_s - self._first_s > self.rules.window_s:
            self.failures, self._first_s = 0, now_s
        self.failures += 1
        if self.failures >= self.rules.failures:
            self.tripped.count += 1
            self.opened_s = now_s
            self._open(now_s, self.rules.open_s)

    def _close(self) -> None:
        self.state = "closed"
        self.failures = 0
        self.tripped.count -= 1

    def _open(self, now_s: float, for_s: float) -> None:
        self.state = "open"
        self.opened += 1
        self.retry_s = now_s + for_s
