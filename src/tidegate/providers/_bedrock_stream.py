"""Reads ConverseStream's frames into the events of an answer.

Only a tool call's block is announced; any other begins with its first delta. `messageStop` ends the
answer, and `metadata` with the usage follows it: then it is whole.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.conversation import Wire
from tidegate.core.outcome import Failure
from tidegate.core.spoken import (
    Began,
    Ended,
    Event,
    Grown,
    Kind,
    PartBegan,
    PartEnded,
    PartGrew,
    Used,
)
from tidegate.providers._bedrock_answer import NULL, Extra, read_usage, reason_of
from tidegate.providers._bedrock_error import failure_in_stream
from tidegate.providers._failures import half_way, malformed
from tidegate.text.aws_frames import Frame, FrameSplitter
from tidegate.text.strict_json import UNREADABLE

MAX_PARTS: Final = 4096
MAX_SEALED_CHARS: Final = 4 * 1024 * 1024
_ENDS: Final = frozenset({"messageStop", "metadata"})


class _ToolUse(Struct, rename="camel"):
    tool_use_id: str
    name: str


class _Start(Struct, rename="camel"):
    tool_use: _ToolUse | None = None


class _BlockStart(Struct, rename="camel"):
    content_block_index: int
    start: _Start


class _Input(Struct):
    input: str


class _Thought(Struct, rename="camel"):
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class _Delta(Struct, rename="camel"):
    text: str | None = None
    tool_use: _Input | None = None
    reasoning_content: _Thought | None = None


class _BlockDelta(Struct, rename="camel"):
    content_block_index: int
    delta: _Delta


class _BlockStop(Struct, rename="camel"):
    content_block_index: int


class _Stop(Struct, rename="camel"):
    stop_reason: str
    additional_model_response_fields: Extra | None = None


class _Metadata(Struct):
    usage: Raw = NULL


_decode_start = msgspec.json.Decoder(_BlockStart).decode
_decode_delta = msgspec.json.Decoder(_BlockDelta).decode
_decode_block_stop = msgspec.json.Decoder(_BlockStop).decode
_decode_stop = msgspec.json.Decoder(_Stop).decode
_decode_metadata = msgspec.json.Decoder(_Metadata).decode


class _Malformed(Exception):
    """A frame that cannot stand where it stands."""


class _Part:
    """A block that has begun. `sealed` is what came of encrypted reasoning, held to its end."""

    __slots__ = ("grew", "index", "kind", "open", "sealed")

    def __init__(self, index: int, kind: Kind) -> None:
        self.index = index
        self.kind = kind
        self.open = True
        self.grew = False
        self.sealed: list[str] = []


class BedrockReader:
    """core.plugs.SpokenReader for ConverseStream. `seals` is whose reasoning it is."""

    service_tier: str | None = None  # it is the one that was asked for
    model_fingerprint: str | None = None  # this wire has none

    __slots__ = (
        "_began",
        "_parts",
        "_sealed_chars",
        "_splitter",
        "_stopped",
        "_wire",
        "ended_twice",
        "failure",
        "finished",
        "surplus_events",
    )

    def __init__(self, seals: Wire = "anthropic") -> None:
        self._wire = seals
        self._splitter = FrameSplitter()
        self._began = False
        self._stopped = False
        self._parts: dict[int, _Part] = {}
        self._sealed_chars = 0
        self.finished = False
        self.failure: Failure | None = None
        self.surplus_events = 0
        self.ended_twice = False

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        for frame in self._splitter.feed(data):
            if self.finished or self.failure is not None:
                self.surplus_events += 1
                name = frame.headers.get(":event-type")
                self.ended_twice = self.ended_twice or (self.finished and name in _ENDS)
                continue
            try:
                self._take(frame, events)
            except UNREADABLE:
                self._fail("the provider sent an event that cannot be read")
            except _Malformed as error:
                self._fail(str(error))
        if self._splitter.problem is not None and not self.finished and self.failure is None:
            self._fail(self._splitter.problem)
        return events

    def end(self) -> list[Event]:
        """Without `metadata` only the usage is missing; without `messageStop` the answer's end."""
        if not self.finished and self.failure is None:
            if self._stopped:
                self.finished = True
            else:
                self.failure = half_way()
        return []

    def _fail(self, message: str) -> None:
        self.failure = malformed(message)

    def _take(self, frame: Frame, events: list[Event]) -> None:
        kind = frame.headers.get(":message-type")
        if kind == "event":
            self._take_event(str(frame.headers.get(":event-type")), frame.payload, events)
        elif kind == "exception":
            name = str(frame.headers.get(":exception-type"))
            self.failure = failure_in_stream(name, frame.payload)
        elif kind == "error":
            name = str(frame.headers.get(":error-code"))
            self.failure = failure_in_stream(name, b"")
        else:
            raise _Malformed("the provider sent a frame of a kind that is not known")

    def _take_event(self, name: str, payload: bytes, events: list[Event]) -> None:
        """What is no event of an answer (`initial-response`, and what is yet to come) passes."""
        if name == "contentBlockDelta":
            told = _decode_delta(payload)
            self._grow(told.content_block_index, told.delta, events)
        elif name == "contentBlockStart":
            self._start(_decode_start(payload), events)
        elif name == "contentBlockStop":
            part = self._parts.get(_decode_block_stop(payload).content_block_index)
            if part is not None and part.open:
                self._close(part, events)
        elif name == "messageStart":
            if self._began:
                raise _Malformed("the provider began its answer twice")
            self._began = True
            events.append(Began())
        elif name == "messageStop":
            self._stop(_decode_stop(payload), events)
        elif name == "metadata":
            self._read_usage(_decode_metadata(payload), events)

    def _start(self, told: _BlockStart, events: list[Event]) -> None:
        call = told.start.tool_use
        if call is not None:
            if told.content_block_index in self._parts:
                raise _Malformed("the provider began a block twice")
            part = self._new(told.content_block_index, "tool_call")
            events.append(PartBegan(0, part.index, "tool_call", call.tool_use_id, call.name))

    def _new(self, block: int, kind: Kind) -> _Part:
        if not self._began or self._stopped:
            raise _Malformed("the provider sent a block outside its answer")
        if len(self._parts) >= MAX_PARTS:
            raise _Malformed(f"the provider's answer has more than {MAX_PARTS} parts")
        part = self._parts[block] = _Part(len(self._parts), kind)
        return part

    def _grow(self, block: int, delta: _Delta, events: list[Event]) -> None:
        if delta.text is not None:
            self._add(block, "text", ("text", delta.text), events)
        elif delta.tool_use is not None:
            self._add(block, "tool_call", ("arguments", delta.tool_use.input), events)
        elif delta.reasoning_content is not None:
            thought = delta.reasoning_content
            if thought.text is not None:
                self._add(block, "reasoning", ("text", thought.text), events)
            elif thought.signature is not None:
                self._add(block, "reasoning", ("signature", thought.signature), events)
            elif thought.redacted_content is not None:
                self._add(block, "reasoning", ("sealed", thought.redacted_content), events)

    def _add(self, block: int, kind: Kind, more: tuple[Grown, str], events: list[Event]) -> None:
        """`more` of a block that is of this kind, or begins with it. Nothing begins nothing."""
        grown, text = more
        part = self._parts.get(block)
        if part is None:
            if not text:
                return
            if kind == "tool_call":
                raise _Malformed("the provider sent a tool call that has not begun")
            part = self._new(block, kind)
            wire = self._wire if kind == "reasoning" else None
            events.append(PartBegan(0, part.index, kind, wire=wire))
        if part.kind != kind or not part.open:
            raise _Malformed("the provider sent more of a block than it can have")
        if grown == "sealed":
            self._sealed_chars += len(text)
            if self._sealed_chars > MAX_SEALED_CHARS:
                raise _Malformed("the provider's sealed reasoning is too long")
            part.sealed.append(text)
        elif text:
            part.grew = True
            events.append(PartGrew(0, part.index, grown, text))

    def _close(self, part: _Part, events: list[Event]) -> None:
        part.open = False
        if part.sealed:
            events.append(PartGrew(0, part.index, "sealed", _joined(part.sealed)))
        elif part.kind == "tool_call" and not part.grew:
            # A call without arguments comes without a delta; its arguments are JSON all the same.
            events.append(PartGrew(0, part.index, "arguments", "{}"))
        events.append(PartEnded(0, part.index))

    def _stop(self, told: _Stop, events: list[Event]) -> None:
        if not self._began or self._stopped:
            raise _Malformed("the provider ended an answer that it was not giving")
        reason = reason_of(told.stop_reason)
        if isinstance(reason, Failure):
            self.failure = reason
            return
        for part in self._parts.values():
            if part.open:
                self._close(part, events)
        extra = told.additional_model_response_fields
        self._stopped = True
        events.append(Ended(0, reason, extra.stop_sequence if extra is not None else None))

    def _read_usage(self, told: _Metadata, events: list[Event]) -> None:
        if not self._began:
            raise _Malformed("the provider told the usage of an answer that it was not giving")
        usage = read_usage(told.usage, has_parts=bool(self._parts))
        if usage is not None:
            events.append(Used(usage))
        self.finished = self._stopped


def _joined(pieces: list[str]) -> str:
    """The base64 of all bytes together; one piece stays the text that came."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return b64encode(b"".join(b64decode(piece, validate=True) for piece in pieces)).decode()
    except (NotBase64, ValueError):
        raise _Malformed("the provider's sealed reasoning is not base64") from None
