"""A stream or a whole answer of Anthropic's Messages, read into the common middle."""

from typing import Any

import msgspec
from msgspec import Struct

from tidegate.core.ask import Answer, Usage
from tidegate.core.conversation import Reasoning, Text, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.spoken import (
    Began,
    Choice,
    Ended,
    Event,
    Grown,
    Kind,
    PartBegan,
    PartEnded,
    PartGrew,
    Reason,
    Spoken,
    SpokenPart,
    Used,
)
from tidegate.providers._anthropic_error import failure_in_answer
from tidegate.providers._anthropic_wire import (
    REASONS,
    Block,
    Course,
    Delta,
    Step,
    read_usage,
)
from tidegate.providers._calls import text_of
from tidegate.providers._failures import malformed, no_answer, reason_of
from tidegate.providers._usage import CONFLICT, has_no_output
from tidegate.text.sse import SseSplitter
from tidegate.text.strict_json import UNREADABLE


class AnthropicSpokenReader:
    """core.plugs.SpokenReader for Anthropic's Messages."""

    service_tier: str | None = None  # prices of its classes are not told apart
    model_fingerprint: str | None = None  # this wire has none

    __slots__ = ("_calls", "_course", "_ended", "_parts", "_splitter", "_used", "failure")

    def __init__(self) -> None:
        self._splitter = SseSplitter()
        self._course = Course()
        self._parts: dict[int, tuple[int, Kind]] = {}  # by a block's index its part's, and kind
        self._calls: dict[int, str] = {}  # a call that has not grown yet: what it began with
        self._used = 0
        self._ended = False
        self.failure: Failure | None = None

    @property
    def finished(self) -> bool:
        return self._course.finished and self.failure is None

    @property
    def surplus_events(self) -> int:
        return self._course.surplus_events

    @property
    def ended_twice(self) -> bool:
        return self._course.ended_twice

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        for event in self._splitter.feed(data):
            self._take(event, events)
        problem = self._splitter.problem
        if problem is not None and self.failure is None and not self._course.finished:
            self.failure = malformed(problem)
        return events

    def end(self) -> list[Event]:
        events: list[Event] = []
        if self.failure is not None or self._course.finished:
            return events
        rest = self._splitter.flush()
        if rest.strip():
            self._take_rest(rest + b"\n\n", events)
        self._course.end()
        self.failure = self.failure or self._course.failure
        return events

    def _take_rest(self, rest: bytes, events: list[Event]) -> None:
        """Reads the last event where only its blank line is missing; cut within, it is none."""
        self._take(rest, events)
        if self.failure is not None and self.failure.kind == "malformed":
            self.failure = self._course.failure = None

    def _take(self, event: bytes, events: list[Event]) -> None:
        told = self._course.take(event)
        if self.failure is None:
            self.failure = self._course.failure
        if told is None or self.failure is not None:
            return
        try:
            self._read(told, events)
        except Failure as failure:
            self.failure = failure

    def _read(self, told: Step, events: list[Event]) -> None:
        """Failure where it cannot stand where it stands."""
        name = told.type
        if name == "content_block_delta":
            if told.delta is not None:
                self._grow(told.index, told.delta, events)
        elif name == "content_block_start":
            self._begin(told, events)
        elif name == "content_block_stop":
            self._stop(told.index, events)
        elif name == "message_start" and told.message is not None:
            usage = None if told.message.usage is None else self._course.usage
            events.append(Began(told.message.id, told.message.model, usage))
        elif name == "message_delta":
            self._end_message(told, events)

    def _grow(self, block: int, delta: Delta, events: list[Event]) -> None:
        more = _more(delta)
        if more is None or block not in self._parts:
            return
        kind, grown, text = more
        part, known = self._parts[block]
        if kind != known:
            raise malformed("the provider sent content that its block cannot have")
        if kind == "tool_call":
            self._calls.pop(block, None)
        events.append(PartGrew(0, part, grown, text))

    def _begin(self, told: Step, events: list[Event]) -> None:
        block, part = told.content_block, self._used
        if block is None:
            return
        kind: Kind = "text"
        if block.type == "text":
            events.append(PartBegan(0, part, kind))
            grown: Any = (("text", block.text),)
        elif block.type == "tool_use":
            kind = "tool_call"
            events.append(PartBegan(0, part, kind, block.id, block.name))
            self._calls[told.index] = text_of(block.input)
            grown = ()
        elif block.type in ("thinking", "redacted_thinking"):
            kind = "reasoning"
            events.append(PartBegan(0, part, kind, wire="anthropic"))
            grown = (("text", block.thinking), ("signature", block.signature))
            grown += (("sealed", block.data),)
        else:
            return  # what its own tools found: nobody asked for it in another dialect
        self._parts[told.index] = part, kind
        self._used += 1
        events += [PartGrew(0, part, name, text) for name, text in grown if text]

    def _stop(self, block: int, events: list[Event]) -> None:
        if block not in self._parts:
            return
        part, _ = self._parts.pop(block)
        whole = self._calls.pop(block, None)
        if whole is not None:
            # Its arguments came with its beginning, or there are none.
            events.append(PartGrew(0, part, "arguments", whole))
        events.append(PartEnded(0, part))

    def _end_message(self, told: Step, events: list[Event]) -> None:
        if self._course.stop_reason is not None and not self._ended:
            reason = reason_of(REASONS, self._course.stop_reason)
            self._ended = True
            for block in sorted(self._parts):
                self._stop(block, events)
            events.append(Ended(0, reason, self._course.stop_sequence))
        if told.usage is not None and self._course.usage is not None:
            events.append(Used(self._course.usage))


def _more(delta: Delta) -> tuple[Kind, Grown, str] | None:
    """Of which kind of part what came is more; None where that is nothing."""
    if delta.text:
        return "text", "text", delta.text
    if delta.partial_json:
        return "tool_call", "arguments", delta.partial_json
    if delta.thinking:
        return "reasoning", "text", delta.thinking
    if delta.signature:
        return "reasoning", "signature", delta.signature
    return None


class WholeMessage(Struct):
    """A whole answer, as far as it is read."""

    type: str
    content: list[Block] = []
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Any = None
    id: str | None = None
    model: str | None = None
    error: Any = None


class _Count(Struct):
    input_tokens: int


_decode = msgspec.json.Decoder(WholeMessage).decode
_decode_count = msgspec.json.Decoder(_Count).decode


def read_count(body: bytes) -> Answer:
    """What says how many tokens a conversation has; it uses none. Failure when it is none."""
    try:
        _decode_count(body)
    except UNREADABLE:
        raise malformed("the provider's answer is no count of tokens") from None
    return Answer(Usage(0, output_tokens=0), None, None, None, b"")


def read_whole(body: bytes) -> WholeMessage:
    """Failure when the body is an error or no message."""
    try:
        message = _decode(body)
    except UNREADABLE:
        raise no_answer() from None
    if message.type == "error":
        raise failure_in_answer(message.error)
    if message.type != "message" or message.stop_reason is None:
        raise malformed("the provider's answer is no message")
    return message


def spoken_of(message: WholeMessage, reason: Reason | None) -> Spoken:
    """The message in the common middle."""
    parts: list[SpokenPart] = []
    for block in message.content:
        if block.type == "text":
            parts.append(Text(block.text or ""))
        elif block.type == "tool_use":
            call = ToolCall(block.id or "", block.name or "", text_of(block.input))
            parts.append(call)
        elif block.type in ("thinking", "redacted_thinking"):
            signature = block.signature or None
            parts.append(Reasoning(block.thinking or "", signature, block.data, "anthropic"))
    usage = None if message.usage is None else read_usage(message.usage)
    if usage is not None and parts and has_no_output(usage):
        usage = CONFLICT
    choice = Choice(parts, reason, message.stop_sequence)
    return Spoken(message.id, message.model, usage, [choice])
