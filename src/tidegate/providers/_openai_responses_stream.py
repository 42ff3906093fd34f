"""Follows a stream of OpenAI's Responses without changing a byte of it, but for the names under
which answers are stored where the gateway has names of its own for them.

Kept back is the terminal event, until the receipt is journalled, and whatever follows it.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import Ask, Usage
from tidegate.core.outcome import Failure
from tidegate.providers._failures import half_way, malformed
from tidegate.providers._openai_error import failure_in_answer
from tidegate.providers._openai_responses import (
    Item,
    Response,
    failure_of,
    finish_of,
    is_act,
    usage_of,
)
from tidegate.providers._passing_reader import PassingReader
from tidegate.providers._usage import CONFLICT, has_no_output
from tidegate.text.sse import data_of
from tidegate.text.strict_json import UNREADABLE

_TERMINAL: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
)
_MOST_SEQUENCE: Final = 2**53
MAX_CALLS: Final = 4096


class _Told(Struct, gc=False):
    type: str
    sequence_number: int | None = None
    delta: Any = None
    output_index: int = -1
    item: Item | None = None
    response: Response | None = None
    error: Any = None
    code: Any = None
    message: Any = None


class OpenAIResponsesStreamReader(PassingReader):
    """core.plugs.StreamReader for callers of Responses."""

    _decode = msgspec.json.Decoder(_Told).decode

    __slots__ = (
        "_ask",
        "_calls",
        "called",
        "finish_reason",
        "model_served",
        "provider_request_id",
        "sequence",
        "service_tier",
        "surplus_events",
        "usage",
    )

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask
        self._calls: dict[int, int] = {}  # which call an item of the output is
        self.sequence = 0
        self.surplus_events = 0
        self.called = False
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.model_served: str | None = None
        self.provider_request_id: str | None = None
        self.service_tier: str | None = None

    def end(self) -> Failure | None:
        """What is missing at the connection's end; None after a proper finish."""
        if self.failure is not None or self.finished:
            return self.failure
        rest = self._splitter.flush()
        if rest.strip():
            self._take(rest + b"\n\n")
        return None if self.finished else self._cut_off()

    def _cut_off(self) -> Failure:
        """The failure that it is; what was cut within is no event."""
        if self.failure is None or self.failure.kind == "malformed":
            self.failure = half_way()
        return self.failure

    def _take(self, event: bytes) -> bytes:
        if self.finished or self.failure is not None:
            self.surplus_events += 1
            self.ended_twice = self.ended_twice or b'"response.completed"' in event
            return b""
        payload = data_of(event)
        if payload is None:
            return event  # a comment keeps the connection alive
        try:
            told = self._decode(payload)
        except UNREADABLE:
            self.failure = malformed("the provider sent an event that is none")
            return b""
        if told.type == "error" or told.error:
            self.failure = failure_in_answer(
                told.error or {"code": told.code, "message": told.message}
            )
            return b""
        number = told.sequence_number
        if number is not None and 0 <= number < _MOST_SEQUENCE:
            self.sequence = number + 1
        broken = self._tell(told)
        text = told.delta if isinstance(told.delta, str) else ""
        if told.type == "response.output_item.added" and told.item is not None:
            text = text or told.item.name or ""
        if text:
            self._keep(text.encode())
        if broken is not None:
            self.failure = broken
            return b""
        if told.response is None:
            return event
        return self._take_response(event, told.type, told.response)

    def _tell(self, told: _Told) -> Failure | None:
        """Of content and calls, before they are written down; what ends the answer."""
        item, index, follower = told.item, told.output_index, self.follower
        if told.type == "response.output_item.added" and item is not None:
            if item.type != "function_call":
                self.called = self.called or is_act(item)
                return None
            self.called = True
            if len(self._calls) >= MAX_CALLS:
                return malformed(f"the provider's answer has more than {MAX_CALLS} calls")
            number = self._calls.setdefault(index, len(self._calls))
            return follower.called(0, number, item.name or "", "") if follower else None
        if not isinstance(told.delta, str) or not told.delta:
            return None
        if told.type == "response.refusal.delta":
            self.refused = True
        elif told.type == "response.output_text.delta":
            if self._content_at is None:
                self._content_at = len(self._text)
            return follower.content(0, told.delta) if follower else None
        elif told.type == "response.function_call_arguments.delta" and index in self._calls:
            return follower.called(0, self._calls[index], "", told.delta) if follower else None
        return None

    def _take_response(self, event: bytes, kind: str, response: Response) -> bytes:
        """An event that tells how the whole answer stands."""
        if self.model_served is None:
            self.model_served = response.model
            self.provider_request_id = response.id
        if isinstance(response.service_tier, str):
            self.service_tier = response.service_tier
        usage = usage_of(response.usage)
        if usage is not None:
            self.usage = CONFLICT if self.content_chunks and has_no_output(usage) else usage
        if self._ask.renamed is not None and response.id is not None:
            event = self._ask.renamed(event, response.id)
        if kind not in _TERMINAL:
            return event
        self.failure = failure_of(response)
        if self.failure is None:
            self.finished = True
            self.finish_reason = finish_of(response)
            self.terminal = event
        return b""
