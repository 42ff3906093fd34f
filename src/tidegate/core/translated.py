"""A provider's event reader and a caller's event writer put together: one StreamReader."""

from typing import Final

from tidegate.core.ask import Usage
from tidegate.core.kept_text import KeptText
from tidegate.core.outcome import Failure
from tidegate.core.plugs import Follower, SpokenReader, SpokenWriter
from tidegate.core.spoken import (
    FINISH_REASONS,
    Began,
    Ended,
    Event,
    Kind,
    PartBegan,
    PartGrew,
    Used,
)

_WRITTEN = frozenset({"text", "arguments"})
# Of an answer in another wire much is held until its end, so there is a most that it may be. No
# model writes as much; each part and each piece of one counts for what it takes to hold it.
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
PART_BYTES: Final = 512
PIECE_BYTES: Final = 64
_TOO_LONG: Final = "the provider's answer is longer than what can be translated"


class TranslatedReader(KeptText):
    """core.plugs.StreamReader across two dialects."""

    __slots__ = (
        "_calls",
        "_held_bytes",
        "_kinds",
        "_reader",
        "_used",
        "_writer",
        "called",
        "ended_twice",
        "failure",
        "finish_reason",
        "finished",
        "follower",
        "model_served",
        "provider_request_id",
        "refused",
        "service_tier",
        "surplus_events",
        "terminal",
        "usage",
    )

    def __init__(self, reader: SpokenReader, writer: SpokenWriter) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer
        # Of each part by its choice and index: its kind, and a call's number in its choice.
        self._kinds: dict[tuple[int, int], Kind] = {}
        self._calls: dict[tuple[int, int], int] = {}
        self._used: dict[int, int] = {}  # how many calls a choice has
        self._held_bytes = 0
        self.follower: Follower | None = None
        self.called = self.refused = self.ended_twice = False
        self.finished = False
        self.failure: Failure | None = None
        self.terminal = b""
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.model_served: str | None = None
        self.provider_request_id: str | None = None
        self.service_tier: str | None = None
        self.surplus_events = 0

    def feed(self, data: bytes) -> bytes:
        if self.failure is not None:
            return b""
        return self._show(self._reader.feed(data))

    def end(self) -> Failure | None:
        """What is missing at the connection's end; None after a proper finish."""
        if not self.finished and self.failure is None:
            shown = self._show(self._reader.end())
            self.terminal = shown + self.terminal
        return self.failure

    @property
    def sequence(self) -> int:
        return self._writer.sequence

    @property
    def model_fingerprint(self) -> str | None:
        return self._reader.model_fingerprint

    def _show(self, events: list[Event]) -> bytes:
        broken_at: int | None = None
        for at, event in enumerate(events):
            broken = self._grow(event) if type(event) is PartGrew else self._note(event)
            if broken is not None and broken_at is None:
                self.failure, broken_at = broken, at
        if broken_at is not None:
            return self._writer.write(events[:broken_at])
        shown = self._writer.write(events) if events else b""
        self.failure = self._reader.failure
        self.service_tier = self._reader.service_tier
        self.surplus_events = self._reader.surplus_events
        self.ended_twice = self._reader.ended_twice
        if self._reader.finished and not self.finished:
            self.finished = True
            self.terminal = self._writer.close()
        return shown

    def _grow(self, event: PartGrew) -> Failure | None:
        """Notes what is written of a part, and tells whoever follows the answer."""
        text = event.text
        self._held_bytes += len(text) + PIECE_BYTES
        if self._held_bytes > MAX_ANSWER_BYTES:
            return Failure("malformed", "upstream_too_large", _TOO_LONG)
        if event.grown not in _WRITTEN:
            return None
        place = (event.choice, event.index)
        kind = self._kinds.get(place)
        if kind == "text" and text and self._content_at is None:
            self._content_at = len(self._text)
        self._keep(text.encode())
        if self.follower is None or not text:
            return None
        if kind == "text":
            return self.follower.content(event.choice, text)
        if kind == "tool_call" and event.grown == "arguments":
            return self.follower.called(event.choice, self._calls[place], "", text)
        return None

    def _begin(self, event: PartBegan) -> Failure | None:
        self._held_bytes += PART_BYTES
        if self._held_bytes > MAX_ANSWER_BYTES:
            return Failure("malformed", "upstream_too_large", _TOO_LONG)
        place = (event.choice, event.index)
        self._kinds[place] = event.kind
        self.refused = self.refused or event.kind == "refusal"
        if event.kind != "tool_call":
            return None
        number = self._calls[place] = self._used.get(event.choice, 0)
        self._used[event.choice] = number + 1
        self.called = True
        self._keep((event.name or "").encode())
        if self.follower is None:
            return None
        return self.follower.called(event.choice, number, event.name or "", "")

    def _note(self, event: Event) -> Failure | None:
        if isinstance(event, PartBegan):
            return self._begin(event)
        if isinstance(event, Used):
            self.usage = event.usage
        elif isinstance(event, Ended):
            self.finish_reason = FINISH_REASONS[event.reason]
        elif isinstance(event, Began):
            self.provider_request_id, self.model_served = event.id, event.model
            self.usage = event.usage if self.usage is None else self.usage
        return None
