"""Follows a stream of OpenAI's chat or text completions without changing a byte of it.

Every event is decoded to the few fields that say how far the answer is; what is forwarded are
the bytes that came. Kept back are: a usage chunk that only we asked for, the closing `[DONE]`
(until the receipt is journalled), and whatever follows it.
"""

from typing import Any

import msgspec

from tidegate.core.ask import Ask, Usage
from tidegate.core.kept_text import MAX_TEXT_BYTES
from tidegate.core.outcome import Failure
from tidegate.providers._failures import half_way, interrupted, malformed
from tidegate.providers._openai_chunk import Choice, Chunk, tell, text_of_calls
from tidegate.providers._openai_error import ENDS_NOTHING, broken_off, failure_in_answer
from tidegate.providers._openai_usage import read_usage
from tidegate.providers._passing_reader import PassingReader
from tidegate.providers._usage import CONFLICT, has_no_output
from tidegate.text.sse import data_of
from tidegate.text.strict_json import UNREADABLE

MAX_CHOICES = 128
DONE = b"data: [DONE]\n\n"
# What reads the same in a JSON string as it is: printable, no quote, no backslash.
_PLAIN = bytes(byte for byte in range(ord(" "), ord("~") + 1) if byte not in b'"\\')


def has_several_answers(ask: Ask) -> bool:
    """Several choices are asked for, or several prompts may stand in one request."""
    return ask.choices > 1 or _has_several_prompts(ask)


def _has_several_prompts(ask: Ask) -> bool:
    return ask.endpoint == "completions" and bytes(ask.members.get("prompt", b""))[:1] == b"["


class OpenAIStreamReader(PassingReader):
    """core.plugs.StreamReader for OpenAI's chunk streams."""

    _decode = msgspec.json.Decoder(Chunk).decode
    sequence = 0  # this wire numbers no events
    # Set where a dialect's chunks say more than content, so that `_read` must see them all.
    _reads_every_chunk = False

    __slots__ = (
        "_after",
        "_before",
        "_between",
        "_finished_choices",
        "_seen_choices",
        "_strip_usage",
        "_told",
        "asked",
        "called",
        "finish_reason",
        "model_fingerprint",
        "model_served",
        "provider_request_id",
        "service_tier",
        "surplus_events",
        "usage",
    )

    def __init__(self, ask: Ask) -> None:
        PassingReader.__init__(self)
        self.asked = ask
        self._strip_usage = not ask.include_usage
        self._seen_choices = 0
        self._finished_choices = 0
        self._before = self._after = b""
        self._between = slice(0)
        self._told: Any = None
        self.called = False
        self.surplus_events = 0
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.model_served: str | None = None
        self.provider_request_id: str | None = None
        self.service_tier: str | None = None
        self.model_fingerprint: str | None = None

    def feed(self, data: bytes) -> bytes:
        """The bytes that the caller may see of `data` and what was held before it.

        Nine reads of ten are one whole chunk with more content of an only choice, and nothing
        else, and most of them differ from the one before in nothing but their plain text: those
        need not even be decoded.
        """
        before = self._before
        if before and data.startswith(before) and data.endswith(self._after):
            text = data[self._between]
            if text and not text.strip(_PLAIN):
                self.content_chunks += 1
                if len(self._text) < MAX_TEXT_BYTES:
                    self._text += text
                else:
                    self.text_beyond_bytes += len(text)
                return data
        self._before = b""  # what is known of a chunk holds for those that follow it at once
        if (
            data.endswith(b"}\n\n")
            and data.find(b"\n") == len(data) - 2
            and data.startswith(b"data: {")
            and self._seen_choices == 1
            and not self._splitter.rest
            and not self._reads_every_chunk
            and not self.finished
            and self.failure is None
            and data.find(b"\r") < 0
        ):
            try:
                chunk = self._decode(data[6:-2])
            except UNREADABLE:
                return self._take(data)
            choices = chunk.choices
            if len(choices) == 1 and chunk.usage is None and not chunk.error:
                choice = choices[0]
                delta = choice.delta
                if (
                    delta is not None
                    and delta.content
                    and choice.finish_reason is None
                    and not choice.index
                    and not delta.tool_calls
                    and not delta.function_call
                    and not delta.reasoning_content
                    and not delta.reasoning
                    and not delta.refusal
                    and self.follower is None
                ):
                    text = delta.content.encode()
                    if self._content_at is None:
                        self._content_at = len(self._text)
                    self._keep(text)
                    self._learn(data, text)
                    return data
            return self._take_chunk(data, chunk)
        return self._feed_events(data)

    def _learn(self, event: bytes, text: bytes) -> None:
        """Keeps what stands around the plain text of a chunk, to know the next one by."""
        quoted = b'"%b"' % text
        if not text.strip(_PLAIN) and event.count(quoted) == 1:
            at = event.find(quoted) + 1
            self._before, self._after = event[:at], event[at + len(text) :]
            self._between = slice(at, -len(self._after))

    def end(self) -> Failure | None:
        """What is missing at the connection's end; None after a proper finish."""
        if self.failure is not None or self.finished:
            return self.failure
        shown = self._take_rest()
        if self.failure is None and not self.finished:
            if self._all_choices_finished() and self._all_choices_seen():
                # The content is whole; only the closing mark was left out.
                self.finished = True
                self.terminal = shown + DONE
            else:
                self.failure = half_way()
        return self.failure

    def _take_rest(self) -> bytes:
        """Reads the last event where only its blank line is missing; cut within, it is none."""
        rest = self._splitter.flush()
        if not rest.strip():
            return b""
        shown = self._take(rest + b"\n\n")
        if self.failure is not None and self.failure.kind == "malformed":
            self.failure = None
        return shown

    def _take(self, event: bytes) -> bytes:
        payload = data_of(event)
        if self.finished or self.failure is not None:
            self.surplus_events += 1
            if payload is not None and payload.startswith(b"[DONE]"):
                self.ended_twice = True
            return b""
        if payload is None:
            return event  # a comment keeps the connection alive
        if payload.startswith(b"[DONE]"):
            self._close(event)
            return b""
        try:
            chunk = self._decode(payload)
        except UNREADABLE:
            self.failure = malformed("the provider sent an event that is no chunk")
            return b""
        return self._take_chunk(event, chunk)

    def _take_chunk(self, event: bytes, chunk: Chunk) -> bytes:
        """Reads one chunk; what the caller may see of the event that it came in."""
        if chunk.error:
            self.failure = failure_in_answer(chunk.error)
            return b""
        return event if self._read(chunk) else b""

    def _read(self, chunk: Chunk) -> bool:
        """Notes what the chunk says; whether the caller may see it."""
        for choice in chunk.choices:
            self._read_choice(choice)
        if self.model_served is None:
            # Azure's first chunk, on its filter, leaves both empty.
            self.model_served = chunk.model or None
            self.provider_request_id = self.provider_request_id or chunk.id or None
        if isinstance(chunk.service_tier, str):
            self.service_tier = chunk.service_tier
        if self.model_fingerprint is None and isinstance(chunk.system_fingerprint, str):
            self.model_fingerprint = chunk.system_fingerprint or None
        if chunk.usage is not None:
            self._read_usage(chunk.usage, only_usage=not chunk.choices)
            if self._strip_usage and not chunk.choices:
                return False
        return self.failure is None

    def _read_choice(self, choice: Choice) -> None:
        if not 0 <= choice.index < MAX_CHOICES:
            self.failure = malformed("the provider sent a choice out of range")
            return
        bit = 1 << choice.index
        self._seen_choices |= bit
        delta = choice.delta
        if delta is not None:
            thought = delta.reasoning_content or delta.reasoning or ""  # the same under two names
            content, refusal = delta.content or "", delta.refusal
            text = thought + content if thought else content
            if refusal:
                self.refused = True
                text += refusal
            if text:
                if content and self._content_at is None:
                    self._content_at = len(self._text) + len(thought.encode())
                self._keep(text.encode())
            calls = delta.tool_calls or delta.function_call
            if calls:
                self.called = True
                self._keep(text_of_calls(calls))
            if self.follower is not None:
                self.failure = self.failure or tell(self.follower, choice.index, content, calls)
        elif choice.text:
            if self._content_at is None:
                self._content_at = len(self._text)
            self._keep(choice.text.encode())
            if self.follower is not None:
                broken = self.follower.content(choice.index, choice.text)
                self.failure = self.failure or broken
        if choice.finish_reason is not None:
            self._finished_choices |= bit
            self.finish_reason = choice.finish_reason
            if choice.finish_reason in ENDS_NOTHING:
                self.failure = self.failure or broken_off(choice.finish_reason)

    def _read_usage(self, told: Any, *, only_usage: bool) -> None:
        usage = read_usage(told, wants_output=True)
        if self.content_chunks and has_no_output(usage):
            usage = CONFLICT
        if only_usage:
            if self._told is not None and self._told != told:
                usage = Usage(conflict=True)
            self._told = told
        self.usage = usage

    def _close(self, event: bytes) -> None:
        if self._all_choices_finished():
            self.finished = True
            self.terminal = event
        else:
            self.failure = interrupted("the provider ended without a finish reason")

    def _all_choices_seen(self) -> bool:
        """As many as were asked for. Of several prompts at once we do not know how many."""
        if _has_several_prompts(self.asked):
            return False
        return self._seen_choices.bit_count() >= self.asked.choices

    def _all_choices_finished(self) -> bool:
        return self._seen_choices != 0 and self._seen_choices == self._finished_choices
