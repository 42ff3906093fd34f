"""What the readers of streams that pass as they are have in common: events out of bytes."""

from abc import ABC, abstractmethod

from tidegate.core.kept_text import KeptText
from tidegate.core.outcome import Failure
from tidegate.core.plugs import Follower
from tidegate.providers._failures import malformed
from tidegate.text.sse import SseSplitter


class PassingReader(KeptText, ABC):
    """The part of a core.plugs.StreamReader that every wire of server-sent events shares."""

    # What names the build behind the model; few wires tell it.
    model_fingerprint: str | None = None

    __slots__ = (
        "_splitter",
        "ended_twice",
        "failure",
        "finished",
        "follower",
        "refused",
        "terminal",
    )

    def __init__(self) -> None:
        KeptText.__init__(self)  # `super()` takes longer, and every stream has one
        self._splitter = SseSplitter()
        self.follower: Follower | None = None
        self.refused = self.ended_twice = self.finished = False
        self.failure: Failure | None = None
        self.terminal = b""

    def feed(self, data: bytes) -> bytes:
        return self._feed_events(data)

    def _feed_events(self, data: bytes) -> bytes:
        splitter = self._splitter
        events = splitter.feed(data)
        if len(events) == 1:
            shown = self._take(events[0])
        else:
            shown = b"".join([self._take(event) for event in events])
        if splitter.problem is not None and self.failure is None and not self.finished:
            self.failure = malformed(splitter.problem)
        return shown

    @abstractmethod
    def _take(self, event: bytes) -> bytes:
        """Reads one event; what the caller may see: all of it or nothing."""
