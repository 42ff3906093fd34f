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
from tidegate.providers._failures import malformed, no_answer, reason_of
from tidegate.providers._usage import CONFLICT, has_no_output
from tidegate.text.sse import SseSplitter, SseTooLong
from tidegate.text.strict_json import UNREADABLE


class AnthropicSpokenReader:
    """core.plugs.SpokenReader for Anthropic's Messages."""

    __slots__ = ("_calls", "_course", "_ended", "_parts", "_splitter", "_used", "failure")

    def __init__(self) -> None:
        self._splitter = SseSplitter()
        self._course = Course()
        self._parts: dict[int, int] = {}  # a block's index: its part's
        self._calls: dict[int, bytes] = {}  # a call that has not grown yet: what it began with
        self._used = 0
        self._ended = False
        self.failure: Failure | None = None

    @property
    def finished(self) -> bool:
        return self._course.finished and self.failure is None

    @property
    def surplus_events(self) -> int:
        return self._course.surplus_events

    def feed(self, data: bytes) -> list[Event]:
        try:
            raw = self._splitter.feed(data)
        except SseTooLong as error:
            self.failure = malformed(str(error))
            return []
        events: list[Event] = []
        for event in raw:
            self._take(event, events)
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
        name = told.type
        if name == "content_block_delta":
            part = self._parts.get(told.index)
            if part is not None and told.delta is not None:
                self._grow(told.index, part, told.delta, events)
        elif name == "content_block_start":
            self._begin(told, events)
        elif name == "content_block_stop":
            self._stop(told.index, events)
        elif name == "message_start" and told.message is not None:
            usage = None if told.message.usage is None else self._course.usage
            events.append(Began(told.message.id, told.message.model, usage))
        elif name == "message_delta":
            self._end_message(told, events)

    def _grow(self, block: int, part: int, delta: Delta, events: list[Event]) -> None:
        if delta.text:
            events.append(PartGrew(0, part, "text", delta.text))
        elif delta.partial_json:
            self._calls.pop(block, None)
            events.append(PartGrew(0, part, "arguments", delta.partial_json))
        elif delta.thinking:
            events.append(PartGrew(0, part, "text", delta.thinking))
        elif delta.signature:
            events.append(PartGrew(0, part, "signature", delta.signature))

    def _begin(self, told: Step, events: list[Event]) -> None:
        block, part = told.content_block, self._used
        if block is None:
            return
        if block.type == "text":
            events.append(PartBegan(0, part, "text"))
            grown: Any = (("text", block.text),)
        elif block.type == "tool_use":
            events.append(PartBegan(0, part, "tool_call", block.id, block.name))
            self._calls[told.index] = bytes(block.input)
            grown = ()
        elif block.type in ("thinking", "redacted_thinking"):
            events.append(PartBegan(0, part, "reasoning", wire="anthropic"))
            grown = (("text", block.thinking), ("signature", block.signature))
            grown += (("sealed", block.data),)
        else:
            return  # what its own tools found: nobody asked for it in another dialect
        self._parts[told.index] = part
        self._used += 1
        events += [PartGrew(0, part, name, text) for name, text in grown if text]

    def _stop(self, block: int, events: list[Event]) -> None:
        part = self._parts.pop(block, None)
        if part is None:
            return
        whole = self._calls.pop(block, None)
        if whole is not None:
            # Its arguments came with its beginning, or there are none.
            events.append(PartGrew(0, part, "arguments", whole.decode()))
        events.append(PartEnded(0, part))

    def _end_message(self, told: Step, events: list[Event]) -> None:
        if self._course.stop_reason is not None and not self._ended:
            try:
                reason = reason_of(REASONS, self._course.stop_reason)
            except Failure as failure:
                self.failure = failure
                return
            self._ended = True
            for block in sorted(self._parts):
                self._stop(block, events)
            events.append(Ended(0, reason, self._course.stop_sequence))
        if told.usage is not None and self._course.usage is not None:
            events.append(Used(self._course.usage))


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
            arguments = bytes(block.input).decode()
            parts.append(ToolCall(block.id or "", block.name or "", arguments))
        elif block.type in ("thinking", "redacted_thinking"):
            signature = block.signature or None
            parts.append(Reasoning(block.thinking or "", signature, block.data, "anthropic"))
    usage = None if message.usage is None else read_usage(message.usage)
    if usage is not None and parts and has_no_output(usage):
        usage = CONFLICT
    choice = Choice(parts, reason, message.stop_sequence)
    return Spoken(message.id, message.model, usage, [choice])
