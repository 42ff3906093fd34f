"""Anthropic's Messages as they come: the events of a stream in their order, and the usage."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure
from tidegate.core.spoken import Reason
from tidegate.providers._anthropic_error import failure_in_answer
from tidegate.providers._calls import NO_ARGUMENTS
from tidegate.providers._failures import half_way, interrupted, malformed
from tidegate.providers._usage import CONFLICT, MAX_PLAUSIBLE_TOKENS, are_plausible, has_no_output
from tidegate.text.sse import data_of
from tidegate.text.strict_json import UNREADABLE

REASONS: Final[dict[str, Reason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_full",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "pause",
}
MAX_BLOCKS: Final = 4096
# What blocks begin with is held until they go on or end.
MAX_INPUT_BYTES: Final = 32 * 1024 * 1024
MESSAGE_STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class Block(Struct, gc=False):
    """A block of content, of whatever type; `input` is a call's."""

    type: str = ""
    id: str | None = None
    name: str | None = None
    text: str | None = None
    input: Raw = NO_ARGUMENTS
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class Delta(Struct, gc=False):
    """What a block goes on with, or how a message ends."""

    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class Start(Struct, gc=False):
    """The message that begins, as far as it is read."""

    id: str | None = None
    model: str | None = None
    usage: Any = None


class Step(Struct, gc=False):
    """One event, of whatever type: all that any of them says."""

    type: str
    index: int = -1
    delta: Delta | None = None
    content_block: Block | None = None
    message: Start | None = None
    usage: Any = None
    error: Any = None


class _OutputDetails(Struct):
    thinking_tokens: int | None = None


class _Written(Struct):
    """What of the writes to the cache is kept for how long."""

    ephemeral_1h_input_tokens: int | None = None


class _Counts(Struct):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _Written | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None


_decode = msgspec.json.Decoder(Step).decode


def payload_of(event: bytes) -> bytes | None:
    """The data of a raw event; the usual one is a line with its name and a line with its data."""
    at = event.find(b"\ndata: ")
    if (
        at > 0
        and event.startswith(b"event: ")
        and event.find(b"\n", at + 1) == len(event) - 2
        and event.find(b"\n") == at
        and event.find(b"\r") < 0
    ):
        return event[at + 7 : -2]
    return data_of(event)


def read_usage(told: Any, before: Usage | None = None, *, whole: bool = True) -> Usage:
    """Usage from Anthropic's member. What a later one leaves out holds as it was told `before`. At
    the beginning (not `whole`) what it tells of the output is no count yet."""
    try:
        counts = msgspec.convert(told, _Counts)
    except msgspec.ValidationError:
        return CONFLICT
    known = before or Usage()
    if known.conflict:
        return CONFLICT
    plain = _later(counts.input_tokens, known.input_tokens)
    read = _later(counts.cache_read_input_tokens, known.cache_read_tokens)
    written = _later(counts.cache_creation_input_tokens, known.cache_write_tokens)
    kept = counts.cache_creation
    hour = _later(
        kept.ephemeral_1h_input_tokens if kept is not None else None, known.cache_write_1h_tokens
    )
    output = counts.output_tokens if whole else None
    details = counts.output_tokens_details
    thought = details.thinking_tokens if details is not None and whole else None
    prompt = (plain or 0) + (read or 0) + (written or 0)
    if not whole and prompt == 0:
        return Usage()  # servers that know it only at the end begin with zeros
    if (
        plain is None
        or not are_plausible(plain, read, written, hour, output, thought)
        or (hour or 0) > (written or 0)
        or not 0 < prompt <= MAX_PLAUSIBLE_TOKENS
        or (whole and output is None)
        or (thought or 0) > (output or 0)
    ):
        return CONFLICT
    if output is not None:
        output -= thought or 0
        if (known.output_tokens or 0) + (known.reasoning_tokens or 0) > output + (thought or 0):
            return CONFLICT  # a count of all so far that went down
    return Usage(plain, read, written, output, thought, cache_write_1h_tokens=hour or None)


def _later(told: int | None, before: int | None) -> int | None:
    return before if told is None else told


class Course:
    """How far one stream is, judged event by event. After `finished` or `failure` nothing is read:
    `surplus_events` counts what comes, and `ended_twice` says that a second end was among it."""

    __slots__ = (
        "_input_bytes",
        "_next",
        "content",
        "ended_twice",
        "failure",
        "finished",
        "open",
        "started",
        "stop_reason",
        "stop_sequence",
        "surplus_events",
        "told",
        "usage",
    )

    def __init__(self) -> None:
        self.started = False
        self.finished = False
        self.failure: Failure | None = None
        self.surplus_events = 0
        self.ended_twice = False
        self.told: Start | None = None
        self.open: set[int] = set()
        self._next = self._input_bytes = 0
        self.content = False
        self.stop_reason: str | None = None
        self.stop_sequence: str | None = None
        self.usage: Usage | None = None

    def take(self, event: bytes) -> Step | None:
        """What the raw `event` says; None where it says nothing about the answer."""
        if self.finished or self.failure is not None:
            self.surplus_events += 1
            self.ended_twice = self.ended_twice or (self.finished and b"message_stop" in event)
            return None
        payload = payload_of(event)
        if payload is None:
            return None  # a comment keeps the connection alive
        try:
            told = _decode(payload)
        except UNREADABLE:
            self._malformed("the provider sent an event that is none of its API's")
            return None
        name = told.type
        if name == "content_block_delta":
            if told.index not in self.open or told.delta is None or self.stop_reason is not None:
                self._malformed("the provider sent content of a block that is not open")
                return None
            self.content = True
            return told
        if name == "error":
            self.failure = failure_in_answer(told.error)
            return None
        if name == "message_start" or not self.started:
            return self._start(told)
        return told if self._go_on(name, told) else None

    def end(self) -> None:
        """The connection's end. The content is whole where only the closing mark is missing."""
        if self.failure is None and not self.finished:
            if self.stop_reason is not None and not self.open:
                self.finished = True
            else:
                self.failure = half_way()

    def _start(self, told: Step) -> Step | None:
        if told.type != "message_start":
            if told.type.startswith(("content_block", "message")):
                self._malformed("the provider sent content before its message began")
            return None
        if self.started or told.message is None:
            self._malformed("the provider began its message twice")
            return None
        self.started = True
        self.told = told.message
        if told.message.usage is not None:
            self.usage = read_usage(told.message.usage, whole=False)
        return told

    def _go_on(self, name: str, told: Step) -> bool:
        if name == "content_block_start":
            late = self.stop_reason is not None or self._next >= MAX_BLOCKS
            if told.index != self._next or told.content_block is None or late:
                self._malformed("the provider's blocks are not in their order")
                return False
            self.open.add(told.index)
            self._next += 1
            self._input_bytes += len(bytes(told.content_block.input))
            if self._input_bytes > MAX_INPUT_BYTES:
                self._malformed("the provider's tool calls are longer than what can be held")
                return False
        elif name == "content_block_stop":
            if told.index not in self.open:
                self._malformed("the provider ended a block that is not open")
                return False
            self.open.discard(told.index)
        elif name == "message_delta":
            self._end_message(told)
        elif name == "message_stop":
            if self.stop_reason is None:
                self.failure = interrupted("the provider ended without a stop reason")
            else:
                self.finished = True
        else:
            return False
        return True

    def _end_message(self, told: Step) -> None:
        if told.delta is not None and told.delta.stop_reason is not None:
            self.stop_reason = told.delta.stop_reason
            self.stop_sequence = told.delta.stop_sequence
        if told.usage is not None:
            self.usage = read_usage(told.usage, self.usage)
            if self.content and has_no_output(self.usage):
                self.usage = CONFLICT

    def _malformed(self, message: str) -> None:
        self.failure = malformed(message)
