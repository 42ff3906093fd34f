"""A stream or a whole answer of Gemini's `generateContent`, read into the common middle.

Each event is a whole response with what is new in it. Nothing on this wire says that it was the
last, and older models end every event with a finish reason: so an answer is finished when the
connection ends and every candidate has one.
"""

from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask, Usage
from tidegate.core.conversation import Wire
from tidegate.core.outcome import Failure
from tidegate.core.spoken import (
    Began,
    Ended,
    Event,
    Kind,
    PartBegan,
    PartEnded,
    PartGrew,
    Reason,
    Spoken,
    Used,
    fold,
)
from tidegate.providers._calls import NO_ARGUMENTS
from tidegate.providers._failures import half_way, malformed, no_answer, unknown_end
from tidegate.providers._gemini_error import failure_in_answer
from tidegate.providers._gemini_usage import final, read_usage
from tidegate.providers._gemini_wire import (
    FAILURES,
    NULL,
    REASONS,
    Call,
    Candidate,
    Part,
    decode,
)
from tidegate.text.sse import SseSplitter, data_of
from tidegate.text.strict_json import UNREADABLE

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class _Progress:
    """How far a candidate is: how many parts it has, the kind of the one that is open, its end."""

    __slots__ = ("called", "choice", "kind", "parts", "reason")

    def __init__(self, choice: int) -> None:
        self.choice = choice
        self.parts = 0
        self.kind: Kind | None = None
        self.called = False
        self.reason: Reason | None = None

    def open(self, kind: Kind, events: list[Event]) -> int:
        """The index of the part of `kind` that goes on, or begins after what was before it."""
        if self.kind != kind:
            self.close(events)
            self.kind = kind
            self.parts += 1
            wire: Wire | None = "gemini" if kind == "reasoning" else None
            events.append(PartBegan(self.choice, self.parts - 1, kind, wire=wire))
        return self.parts - 1

    def close(self, events: list[Event]) -> None:
        if self.kind is not None:
            self.kind = None
            events.append(PartEnded(self.choice, self.parts - 1))


class GeminiReader:
    """core.plugs.SpokenReader for Gemini. A text's own signature is told as a reasoning without
    words that follows it, because only a reasoning or a call has one in the common middle."""

    ended_twice = False  # this wire has no closing mark
    service_tier: str | None = None  # it is the one that was asked for
    model_fingerprint: str | None = None  # this wire has none
    __slots__ = (
        "_asked",
        "_began",
        "_candidates",
        "_splitter",
        "_told",
        "_usage",
        "_wrote",
        "failure",
        "finished",
        "surplus_events",
    )

    def __init__(self, ask: Ask) -> None:
        self._asked = max(ask.choices, 1)
        self._splitter = SseSplitter()
        self._candidates: dict[int, _Progress] = {}
        self._began = False
        self._wrote = False
        self._told = NULL
        self._usage: Usage | None = None
        self.finished = False
        self.failure: Failure | None = None
        self.surplus_events = 0

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        for event in self._splitter.feed(data):
            self.take(data_of(event), events)
        if self._splitter.problem is not None and not self.finished:
            self._malformed(self._splitter.problem)
        return events

    def end(self) -> list[Event]:
        events: list[Event] = []
        if self.failure is None and not self.finished:
            self._take_rest(events)
            self._finish(events)
        return events

    def _take_rest(self, events: list[Event]) -> None:
        """Reads the last event where only its blank line is missing; cut within, it is none."""
        rest = self._splitter.flush()
        if not rest:
            return
        payload = data_of(rest + b"\n\n")
        try:
            decode(payload or b"")
        except UNREADABLE:
            return
        self.take(payload, events)

    def take(self, payload: bytes | None, events: list[Event]) -> None:
        """Reads one response; what it tells is added to `events`."""
        if self.finished or self.failure is not None:
            self.surplus_events += 1
            return
        if payload is None:
            return  # a comment keeps the connection alive
        try:
            response = decode(payload)
        except UNREADABLE:
            self._malformed("the provider's answer is no response of its API")
            return
        if response.error:
            self.failure = failure_in_answer(response.error)
            return
        self._wrote = self._wrote or any(_writes(one) for one in response.candidates)
        usage = self._used(response.usage_metadata)
        if not self._began:
            self._began = True
            events.append(Began(response.response_id, response.model_version, usage))
        if usage is not None:
            events.append(Used(usage))
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            message = "the provider blocked the prompt by its safety rules"
            self.failure = Failure("refused_by_safety", "rejected_by_provider", message)
        for candidate in response.candidates:
            if self.failure is None:
                self._read(candidate, events)

    def _read(self, candidate: Candidate, events: list[Event]) -> None:
        index = candidate.index
        progress = self._candidates.get(index)
        if progress is None:
            if not 0 <= index < self._asked:  # one that nobody asked for is nobody's answer
                self._malformed("the provider sent a candidate out of range")
                return
            progress = self._candidates[index] = _Progress(index)
        content = candidate.content
        for part in () if content is None else content.parts:
            if part.function_call is not None:
                self._call(progress, part.function_call, part.thought_signature, events)
            elif part.text is None and part.thought_signature is None:
                self._malformed("the provider sent content of a kind that is not known")
            else:
                _grow(progress, part, events)
            if self.failure is not None:
                return
        if candidate.finish_reason is not None:
            self._note_end(progress, candidate.finish_reason)

    def _call(
        self, progress: _Progress, call: Call, signature: str | None, events: list[Event]
    ) -> None:
        """A call comes whole. The white space that the server puts into its arguments goes."""
        args = NO_ARGUMENTS if call.args == NULL else call.args
        try:
            _decode_object(args)
            arguments = msgspec.json.format(args, indent=-1).decode()
        except UNREADABLE:
            self._malformed("the provider sent a call whose arguments are no object")
            return
        if call.will_continue or not call.name:
            self._malformed("the provider sent a call that is not whole")
            return
        progress.close(events)
        choice, index = progress.choice, progress.parts
        progress.parts += 1
        progress.called = True
        events.append(PartBegan(choice, index, "tool_call", call.id or None, call.name, "gemini"))
        events.append(PartGrew(choice, index, "arguments", arguments))
        if signature:
            events.append(PartGrew(choice, index, "signature", signature))
        events.append(PartEnded(choice, index))

    def _note_end(self, progress: _Progress, word: str) -> None:
        progress.reason = REASONS.get(word)
        if progress.reason is None:
            known = FAILURES.get(word)
            self.failure = unknown_end() if known is None else Failure(*known)

    def _used(self, told: Raw) -> Usage | None:
        """The usage, where more of it is known than before."""
        if told == NULL:
            return None
        self._told = told
        usage = read_usage(told, wrote=self._wrote)
        if usage == self._usage:
            return None
        self._usage = usage
        return usage

    def _finish(self, events: list[Event]) -> None:
        if self.failure is not None:
            return
        candidates = sorted(self._candidates.items())
        if len(candidates) < self._asked or any(
            progress.reason is None for _, progress in candidates
        ):
            self.failure = half_way()
            return
        for choice, progress in candidates:
            progress.close(events)
            reason = progress.reason or "stop"
            if reason == "stop" and progress.called:
                reason = "tool_calls"
            events.append(Ended(choice, reason))
        if self._usage is not None:
            usage = final(read_usage(self._told, wrote=self._wrote))
            if usage != self._usage:
                events.append(Used(usage))
        self.finished = True

    def _malformed(self, message: str) -> None:
        if self.failure is None:
            self.failure = malformed(message)


def _grow(progress: _Progress, part: Part, events: list[Event]) -> None:
    """More of a text or of a thought, each with the signature that may come with it."""
    if part.text:
        index = progress.open("reasoning" if part.thought else "text", events)
        events.append(PartGrew(progress.choice, index, "text", part.text))
    if part.thought_signature:
        if not part.thought:
            progress.close(events)
        index = progress.open("reasoning", events)
        events.append(PartGrew(progress.choice, index, "signature", part.thought_signature))
        progress.close(events)


def _writes(candidate: Candidate) -> bool:
    """It has content that Gemini counts as its own: a thought is counted apart."""
    return candidate.content is not None and any(
        part.function_call is not None or (part.text and not part.thought)
        for part in candidate.content.parts
    )


def read_whole(ask: Ask, body: bytes) -> Spoken:
    """A whole answer, which is a stream of one event. Failure, `malformed` where it is none."""
    return whole_of(GeminiReader(ask), body)


def whole_of(reader: GeminiReader, body: bytes) -> Spoken:
    events: list[Event] = []
    reader.take(body, events)
    if reader.failure is not None:
        raise reader.failure
    events += reader.end()
    if not reader.finished:
        raise no_answer()
    return fold(events)
