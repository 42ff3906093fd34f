"""A stream or a whole answer in OpenAI's chat shape, read into the common middle.

A provider's own reader goes first: it judges the stream, counts its usage, and passes on whole
chunks that are in order. What they say is read here.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from tidegate.core.ask import Answer, Usage
from tidegate.core.conversation import Reasoning, Refused, Text, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.spoken import (
    Began,
    Choice,
    Ended,
    Event,
    PartBegan,
    PartEnded,
    PartGrew,
    Spoken,
    SpokenPart,
    Used,
)
from tidegate.providers._failures import malformed, no_answer
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers._openai_usage import read_usage
from tidegate.providers._openai_wire import (
    Call,
    Chunk,
    Delta,
    Function,
    WireChoice,
    decode_chunk,
    ending,
    text_of,
)
from tidegate.text.sse import SseSplitter, data_of
from tidegate.text.strict_json import UNREADABLE


class _Part(Struct):
    """A part that may still grow."""

    index: int
    kind: Literal["text", "reasoning", "refusal", "tool_call"]
    call_id: str | None = None
    grew: bool = False


class OpenAISpokenReader:
    """core.plugs.SpokenReader on top of a provider's own reader, which was told that the caller
    wants to see usage: it then takes nothing out of a chunk."""

    __slots__ = (
        "_asked",
        "_began",
        "_calls",
        "_ended",
        "_inner",
        "_latest",
        "_plains",
        "_shown",
        "_splitter",
        "_usage",
        "_used",
        "failure",
    )

    def __init__(self, inner: OpenAIStreamReader) -> None:
        self._inner = inner
        self._asked = max(inner.asked.choices, 1)
        self._splitter = SseSplitter()
        self._shown = SseSplitter()  # what the provider's own reader shows of an event
        self._began = False
        self._ended: set[int] = set()
        self._plains: dict[int, _Part] = {}
        self._calls: dict[int, list[_Part]] = {}
        self._latest: dict[tuple[int, int | None], _Part] = {}
        self._used: dict[int, int] = {}
        self._usage: Usage | None = None
        self.failure: Failure | None = None

    @property
    def finished(self) -> bool:
        return self._inner.finished and self.failure is None

    @property
    def service_tier(self) -> str | None:
        return self._inner.service_tier

    @property
    def model_fingerprint(self) -> str | None:
        return self._inner.model_fingerprint

    @property
    def surplus_events(self) -> int:
        return self._inner.surplus_events

    @property
    def ended_twice(self) -> bool:
        return self._inner.ended_twice

    def feed(self, data: bytes) -> list[Event]:
        """One event after the other, so that nothing depends on how many come in a read."""
        events: list[Event] = []
        if self.failure is not None:
            return events
        for raw in self._splitter.feed(data):
            shown = self._inner.feed(raw)
            whole = shown is raw and not self._shown.rest and raw.endswith(b"\n")
            if not self._read((raw,) if whole else self._shown.feed(shown), events):
                return events
        if self._splitter.problem is not None and not self._inner.finished:
            self.failure = malformed(self._splitter.problem)
        return events

    def end(self) -> list[Event]:
        events: list[Event] = []
        if self.failure is not None or self._inner.finished:
            return events
        shown = self._inner.feed(self._splitter.flush())
        self._inner.end()
        self._read(self._shown.feed(shown + self._inner.terminal), events)
        return events

    def _read(self, shown: Iterable[bytes], events: list[Event]) -> bool:
        """What whole events, already judged, say; whether there may be more."""
        inner = self._inner
        try:
            for raw in shown:
                payload = data_of(raw)
                if payload is not None and not payload.startswith(b"[DONE]"):
                    self._take(decode_chunk(payload), events)
            if inner.usage is not None and inner.usage is not self._usage and self._began:
                self._usage = inner.usage
                events.append(Used(inner.usage))
        except UNREADABLE:
            self.failure = malformed("the provider sent an event that is no chunk")
        except Failure as failure:
            self.failure = failure
        self.failure = self.failure or inner.failure
        return self.failure is None

    def _take(self, chunk: Chunk, events: list[Event]) -> None:
        if not self._began and (chunk.choices or chunk.id != ""):  # Azure's first has neither
            self._began = True
            events.append(Began(chunk.id, chunk.model, _input_of(chunk)))
        for choice in chunk.choices:
            if choice.index >= self._asked:  # one that nobody asked for is nobody's answer
                raise malformed("the provider sent a choice that was not asked for")
            if choice.index in self._ended:
                continue  # what comes after its end is no part of it
            if choice.delta is not None:
                self._grow(choice.index, choice.delta, events)
            if choice.finish_reason is not None:
                self._end_choice(choice, events)

    def _grow(self, choice: int, delta: Delta, events: list[Event]) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if thought:
            part = self._plain(choice, "reasoning", events)
            events.append(PartGrew(choice, part.index, "text", thought))
        if delta.content:
            part = self._plain(choice, "text", events)
            events.append(PartGrew(choice, part.index, "text", delta.content))
        if delta.refusal:
            part = self._plain(choice, "refusal", events)
            events.append(PartGrew(choice, part.index, "text", delta.refusal))
        for call in delta.tool_calls or ():
            part = self._call(choice, call, events)
            arguments = text_of(call.function and call.function.arguments)
            if arguments:
                part.grew = True
                events.append(PartGrew(choice, part.index, "arguments", arguments))

    def _plain(
        self, choice: int, kind: Literal["text", "reasoning", "refusal"], events: list[Event]
    ) -> _Part:
        """The part that such text goes on, or a new one: text of another kind, or a call, ends a
        text."""
        part = self._plains.get(choice)
        if part is not None and part.kind == kind:
            return part
        self._end_plain(choice, events)
        part = self._plains[choice] = _Part(self._next(choice), kind)
        events.append(PartBegan(choice, part.index, kind))
        return part

    def _call(self, choice: int, call: Call, events: list[Event]) -> _Part:
        """The call that this is more of, or a new one. Some engines leave the index out, or give
        each call the same: then the id tells them apart. Any call may go on until the end."""
        found = self._latest.get((choice, call.index))
        if found is not None and (not call.id or call.id == found.call_id):
            return found
        self._end_plain(choice, events)
        name = call.function.name if call.function is not None else None
        part = _Part(self._next(choice), "tool_call", call.id)
        self._latest[choice, call.index] = part
        self._calls.setdefault(choice, []).append(part)
        events.append(PartBegan(choice, part.index, "tool_call", call.id, name))
        return part

    def _next(self, choice: int) -> int:
        index = self._used.get(choice, 0)
        self._used[choice] = index + 1
        return index

    def _end_plain(self, choice: int, events: list[Event]) -> None:
        part = self._plains.pop(choice, None)
        if part is not None:
            events.append(PartEnded(choice, part.index))

    def _end_parts(self, choice: int, events: list[Event]) -> None:
        for part in self._calls.pop(choice, ()):
            if not part.grew:
                events.append(PartGrew(choice, part.index, "arguments", "{}"))
            events.append(PartEnded(choice, part.index))
        self._end_plain(choice, events)

    def _end_choice(self, choice: WireChoice, events: list[Event]) -> None:
        reason, stop_sequence = ending(choice, called=choice.index in self._calls)
        self._ended.add(choice.index)
        self._end_parts(choice.index, events)
        events.append(Ended(choice.index, reason, stop_sequence))


def _input_of(chunk: Chunk) -> Usage | None:
    """The input, where the first chunk tells it."""
    told = msgspec.json.decode(chunk.usage)
    if told is None:
        return None
    usage = read_usage(told, wants_output=True)
    if usage.conflict:
        return None
    return Usage(usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens)


def spoken_of(body: bytes, answer: Answer) -> Spoken:
    """A whole answer, already judged, in the common middle. Failure."""
    try:
        whole = decode_chunk(body)
    except UNREADABLE:
        raise no_answer() from None
    choices = []
    for told in sorted(whole.choices, key=lambda choice: choice.index):
        parts = [] if told.message is None else _parts(told.message)
        called = any(isinstance(part, ToolCall) for part in parts)
        reason, stop_sequence = ending(told, called=called)
        choices.append(Choice(parts, reason, stop_sequence))
    tier, fingerprint = answer.service_tier, answer.model_fingerprint
    return Spoken(whole.id, whole.model, answer.usage, choices, tier, fingerprint)


def _parts(message: Delta) -> list[SpokenPart]:
    parts: list[SpokenPart] = []
    thought = message.reasoning_content or message.reasoning
    if thought:
        parts.append(Reasoning(thought))
    if message.content:
        parts.append(Text(message.content))
    if message.refusal:
        parts.append(Refused(message.refusal))
    for call in message.tool_calls or ():
        function = call.function or Function()
        arguments = text_of(function.arguments) or "{}"
        parts.append(ToolCall(call.id or "", function.name or "", arguments))
    return parts
