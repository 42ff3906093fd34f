"""A stream or a whole answer of Cohere's `/v2/chat`, read into the common middle.

What its models call their plan, told before calls, is a text. Citations are left out.
"""

from msgspec import Raw

from tidegate.core.ask import Ask, Usage
from tidegate.core.conversation import Reasoning, Text, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.spoken import (
    Began,
    Choice,
    Ended,
    Event,
    Kind,
    PartBegan,
    PartEnded,
    PartGrew,
    Spoken,
    SpokenPart,
    Used,
)
from tidegate.providers._cohere_usage import read_usage
from tidegate.providers._cohere_wire import (
    Call,
    Delta,
    Function,
    Message,
    Piece,
    Streamed,
    decode,
    decode_whole,
    ending,
    gone_wrong,
)
from tidegate.providers._failures import half_way, malformed, no_answer
from tidegate.providers._usage import CONFLICT, has_no_output
from tidegate.text.sse import SseSplitter, data_of
from tidegate.text.strict_json import UNREADABLE


class CohereReader:
    """core.plugs.SpokenReader for Cohere."""

    service_tier: str | None = None  # this wire has neither
    model_fingerprint: str | None = None
    __slots__ = (
        "_began",
        "_called",
        "_closed",
        "_grew",
        "_kind",
        "_parts",
        "_splitter",
        "_wrote",
        "ended_twice",
        "failure",
        "finished",
        "surplus_events",
    )

    def __init__(self, ask: Ask) -> None:
        del ask  # there is one choice, and usage is always told
        self._splitter = SseSplitter()
        self._parts = 0
        self._kind: Kind | None = None
        self._began = self._called = self._closed = self._grew = self._wrote = False
        self.ended_twice = self.finished = False
        self.failure: Failure | None = None
        self.surplus_events = 0

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        for event in self._splitter.feed(data):
            self._take(data_of(event), events)
        if self._splitter.problem is not None and not self.finished and self.failure is None:
            self.failure = malformed(self._splitter.problem)
        return events

    def end(self) -> list[Event]:
        events: list[Event] = []
        if self.failure is None and not self.finished:
            payload = data_of(self._splitter.flush() + b"\n\n")
            try:
                decode(payload or b"")
            except UNREADABLE:
                pass  # cut within, it is none
            else:
                self._take(payload, events)
            if self.failure is None and not self.finished:
                self.failure = half_way()
        return events

    def _take(self, payload: bytes | None, events: list[Event]) -> None:
        if self.finished or self.failure is not None:
            if payload is not None:
                self._note_surplus(payload)
            return
        if payload is None:
            return  # a comment keeps the connection alive
        try:
            self._read(decode(payload), events)
        except UNREADABLE:
            self.failure = malformed("the provider sent an event that is none of its API")
        except Failure as failure:
            self.failure = failure

    def _note_surplus(self, payload: bytes) -> None:
        """Behind the event that ends the message stands one mark."""
        closes = payload.startswith(b"[DONE]")
        if closes and not self._closed:
            self._closed = True
            return
        self.surplus_events += 1
        self.ended_twice = self.ended_twice or closes

    def _read(self, event: Streamed, events: list[Event]) -> None:
        delta = event.delta or Delta()
        message = delta.message or Message()
        kind = event.type
        if kind == "message-end":
            self._end(delta, events)
        elif kind == "message-start":
            self._begin(event.id, events)
        elif kind in ("content-start", "content-delta"):
            self._content(message, events)
        elif kind == "tool-plan-delta":
            self._grow("text", message.tool_plan or "", events)
        elif kind in ("tool-call-start", "tool-call-delta"):
            self._call(message, events, begins=kind == "tool-call-start")
        elif kind in ("content-end", "tool-call-end"):
            self._close(events)
        elif not kind:
            raise malformed("the provider sent an event that is none of its API")

    def _begin(self, told: str | None, events: list[Event]) -> None:
        if not self._began:
            self._began = True
            events.append(Began(told))

    def _content(self, message: Message, events: list[Event]) -> None:
        piece = message.content
        if not isinstance(piece, Piece):
            raise malformed("the provider sent a content that is none")
        if piece.thinking:
            self._grow("reasoning", piece.thinking, events)
        if piece.text:
            self._grow("text", piece.text, events)

    def _grow(self, kind: Kind, text: str, events: list[Event]) -> None:
        if not text:
            return
        self._wrote = True
        if self._kind != kind:
            self._open(PartBegan(0, self._parts, kind), events)
        events.append(PartGrew(0, self._parts - 1, "text", text))

    def _call(self, message: Message, events: list[Event], *, begins: bool) -> None:
        call = message.tool_calls
        if not isinstance(call, Call):
            raise malformed("the provider sent a call that is none")
        function = call.function or Function()
        if begins:
            self._called = self._wrote = True
            began = PartBegan(0, self._parts, "tool_call", call.id, function.name)
            self._open(began, events)
        elif self._kind != "tool_call":
            raise malformed("the provider sent more of a call that has not begun")
        if function.arguments:
            self._grew = True
            events.append(PartGrew(0, self._parts - 1, "arguments", function.arguments))

    def _open(self, began: PartBegan, events: list[Event]) -> None:
        self._begin(None, events)
        self._close(events)
        self._kind, self._grew = began.kind, False
        self._parts += 1
        events.append(began)

    def _close(self, events: list[Event]) -> None:
        if self._kind is not None:
            if self._kind == "tool_call" and not self._grew:
                events.append(PartGrew(0, self._parts - 1, "arguments", "{}"))
            self._kind = None
            events.append(PartEnded(0, self._parts - 1))

    def _end(self, delta: Delta, events: list[Event]) -> None:
        if delta.error:
            raise gone_wrong()
        reason = ending(delta.finish_reason or "", called=self._called)
        self._begin(None, events)
        self._close(events)
        events.append(Ended(0, reason))
        usage = _used(delta.usage, wrote=self._wrote)
        if usage is not None:
            events.append(Used(usage))
        self.finished = True


def _used(raw: Raw, *, wrote: bool) -> Usage | None:
    usage = read_usage(raw)
    return CONFLICT if usage is not None and wrote and has_no_output(usage) else usage


def read_whole(body: bytes) -> Spoken:
    """A whole answer. Failure, `malformed` where it is none."""
    try:
        whole = decode_whole(body)
    except UNREADABLE:
        raise no_answer() from None
    parts = _parts(whole.message)
    called = any(isinstance(part, ToolCall) for part in parts)
    reason = ending(whole.finish_reason, called=called)
    usage = _used(whole.usage, wrote=bool(parts))
    return Spoken(whole.id, None, usage, [Choice(parts, reason)])


def _parts(message: Message) -> list[SpokenPart]:
    content, calls = message.content, message.tool_calls
    if isinstance(content, Piece) or isinstance(calls, Call):
        raise no_answer()
    parts: list[SpokenPart] = []
    for piece in content or ():
        if piece.thinking:
            parts.append(Reasoning(piece.thinking))
        if piece.text:
            parts.append(Text(piece.text))
    if message.tool_plan:
        parts.append(Text(message.tool_plan))
    for call in calls or ():
        function = call.function or Function()
        arguments = function.arguments or "{}"
        parts.append(ToolCall(call.id or "", function.name or "", arguments))
    return parts
