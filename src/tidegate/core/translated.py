"""A provider's event reader and a caller's event writer put together: one StreamReader."""

from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure
from tidegate.core.plugs import SpokenReader, SpokenWriter
from tidegate.core.spoken import FINISH_REASONS, Began, Ended, Event, PartBegan, PartGrew, Used

# Text is kept to count its tokens should nobody else; beyond this it is estimated by length.
MAX_TEXT_BYTES = 256 * 1024
_WRITTEN = frozenset({"text", "arguments"})


class TranslatedReader:
    """core.plugs.StreamReader across two dialects."""

    __slots__ = (
        "_reader",
        "_text",
        "_writer",
        "content_chunks",
        "failure",
        "finish_reason",
        "finished",
        "model_served",
        "provider_request_id",
        "service_tier",
        "started",
        "surplus_events",
        "terminal",
        "text_beyond_bytes",
        "usage",
    )

    def __init__(self, reader: SpokenReader, writer: SpokenWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._text = bytearray()
        self.text_beyond_bytes = 0
        self.started = False
        self.finished = False
        self.failure: Failure | None = None
        self.terminal = b""
        self.content_chunks = 0
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.model_served: str | None = None
        self.provider_request_id: str | None = None
        self.service_tier: str | None = None
        self.surplus_events = 0

    def feed(self, data: bytes) -> bytes:
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

    def text(self) -> bytes:
        return bytes(self._text)

    def text_bytes(self) -> int:
        return len(self._text) + self.text_beyond_bytes

    def _show(self, events: list[Event]) -> bytes:
        for event in events:
            if type(event) is PartGrew:
                if event.grown in _WRITTEN:
                    self._content(event.text)
            else:
                self._note(event)
        shown = self._writer.write(events) if events else b""
        self.failure = self._reader.failure
        self.surplus_events = self._reader.surplus_events
        if self._reader.finished and not self.finished:
            self.finished = True
            self.terminal = self._writer.close()
        return shown

    def _content(self, text: str) -> None:
        self.started = True
        self.content_chunks += 1
        if len(self._text) < MAX_TEXT_BYTES:
            self._text += text.encode()
        else:
            self.text_beyond_bytes += len(text.encode())

    def _note(self, event: Event) -> None:
        if isinstance(event, Used):
            self.usage = event.usage
        elif isinstance(event, Ended):
            self.finish_reason = FINISH_REASONS[event.reason]
        elif isinstance(event, Began):
            self.provider_request_id, self.model_served = event.id, event.model
            self.usage = event.usage if self.usage is None else self.usage
        elif isinstance(event, PartBegan) and event.kind == "tool_call":
            self._content(event.name or "")
