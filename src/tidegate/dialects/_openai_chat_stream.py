"""An answer written as a stream of OpenAI's chat chunks.

Each choice: one chunk with the role, content by its kind, one with the finish reason. At the end
usage, where it was asked for and is known, and `[DONE]`.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import Ask, Usage
from tidegate.core.conversation import Reasoning, Wire
from tidegate.core.plugs import Stamp
from tidegate.core.spoken import (
    FINISH_REASONS,
    Began,
    Ended,
    Event,
    PartBegan,
    PartEnded,
    PartGrew,
    Used,
)
from tidegate.dialects._carriers import call_details, details
from tidegate.dialects._openai_members import call_id_of

DONE: Final = b"data: [DONE]\n\n"
_MEMBERS: Final = {"text": "content", "reasoning": "reasoning_content", "refusal": "refusal"}
_encode = msgspec.json.Encoder().encode


def usage_members(usage: Usage) -> dict[str, Any] | None:
    """OpenAI's `usage`; None where input or output is unknown, or the figures contradict."""
    if usage.conflict or usage.input_tokens is None or usage.output_tokens is None:
        return None
    prompt = usage.input_tokens + (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    completion = usage.output_tokens + (usage.reasoning_tokens or 0)
    told: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    cached = {
        name: tokens
        for name, tokens in (
            ("cached_tokens", usage.cache_read_tokens),
            ("cache_write_tokens", usage.cache_write_tokens),
        )
        if tokens is not None
    }
    if cached:
        told["prompt_tokens_details"] = cached
    if usage.reasoning_tokens is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return told


class _Open(Struct):
    """A part that goes on: what its carrier needs at its end, and how to write more of it."""

    kind: str
    prefix: bytes
    number: int
    call_id: str
    wire: Wire | None
    id: str | None
    pieces: dict[str, list[str]]


class OpenAIChatWriter:
    """core.plugs.SpokenWriter for OpenAI's chat."""

    sequence = 0  # this wire numbers no events
    __slots__ = (
        "_ask",
        "_calls",
        "_details",
        "_head",
        "_open",
        "_prefix",
        "_roles",
        "_stamp",
        "_usage",
    )

    def __init__(self, ask: Ask, stamp: Stamp) -> None:
        self._ask = ask
        self._stamp = stamp
        self._head: dict[str, Any] = {}
        self._prefix = b""
        self._roles: set[int] = set()
        self._open: dict[tuple[int, int], _Open] = {}
        self._calls: dict[int, int] = {}
        self._details: dict[int, int] = {}
        self._usage: Usage | None = None
        self._name(Began())

    def write(self, events: list[Event]) -> bytes:
        if len(events) == 1:
            return self._write(events[0])
        return b"".join([self._write(event) for event in events])

    def close(self) -> bytes:
        if not self._ask.include_usage or self._usage is None:
            return DONE
        usage = usage_members(self._usage)
        if usage is None:
            return DONE
        members = {**self._head, "choices": [], "usage": usage}
        return b"data: %b\n\n%b" % (_encode(members), DONE)

    def _write(self, event: Event) -> bytes:
        if type(event) is PartGrew:
            return self._grow(event)
        if isinstance(event, PartBegan):
            return self._begin_part(event)
        if isinstance(event, PartEnded):
            return self._end_part(event)
        if isinstance(event, Ended):
            shown = self._role(event.choice)
            reason = FINISH_REASONS[event.reason].encode()
            return shown + self._prefix % event.choice + b'{},"finish_reason":"%b"}]}\n\n' % reason
        if isinstance(event, Used):
            self._usage = event.usage
            return b""
        if isinstance(event, Began):
            self._usage = event.usage
            self._name(event)
        return self._role(0)

    def _name(self, began: Began) -> None:
        """What every chunk says of its answer."""
        self._head = {
            "id": began.id or f"chatcmpl-{self._stamp.id}",
            "object": "chat.completion.chunk",
            "created": int(self._stamp.at_s),
            "model": began.model or self._ask.model,
        }
        head = _encode(self._head)[:-1].replace(b"%", b"%%")
        null_usage = b',"usage":null' if self._ask.include_usage else b""
        choices = b',"choices":[{"index":%d,"logprobs":null,"delta":'
        self._prefix = b"data: " + head + null_usage + choices

    def _delta(self, choice: int, delta: dict[str, Any]) -> bytes:
        return self._prefix % choice + _encode(delta) + b',"finish_reason":null}]}\n\n'

    def _role(self, choice: int) -> bytes:
        if choice in self._roles:
            return b""
        self._roles.add(choice)
        return self._delta(choice, {"role": "assistant", "content": ""})

    def _begin_part(self, part: PartBegan) -> bytes:
        shown = self._role(part.choice)
        member = _MEMBERS.get(part.kind)
        if member is not None:
            prefix = b'%b{"%b":' % (self._prefix % part.choice, member.encode())
            opened = _Open(part.kind, prefix, 0, "", part.wire, part.id, {})
        else:
            number = self._calls.get(part.choice, 0)
            self._calls[part.choice] = number + 1
            call_id = call_id_of(part.call_id, self._stamp, number)
            begun = b'%b{"tool_calls":[{"index":%d,"function":{"arguments":'
            prefix = begun % (self._prefix % part.choice, number)
            opened = _Open(part.kind, prefix, number, call_id, part.wire, None, {})
            call = {"index": number, "id": call_id, "type": "function"}
            function = {"name": part.name or "", "arguments": ""}
            shown += self._delta(part.choice, {"tool_calls": [{**call, "function": function}]})
        self._open[part.choice, part.index] = opened
        return shown

    def _grow(self, grown: PartGrew) -> bytes:
        opened = self._open.get((grown.choice, grown.index))
        if opened is None:
            return b""
        if grown.grown == "arguments":
            return b'%b%b}}]},"finish_reason":null}]}\n\n' % (opened.prefix, _encode(grown.text))
        if opened.wire is not None:
            opened.pieces.setdefault(grown.grown, []).append(grown.text)
        if grown.grown != "text":
            return b""
        return b'%b%b},"finish_reason":null}]}\n\n' % (opened.prefix, _encode(grown.text))

    def _end_part(self, ended: PartEnded) -> bytes:
        """What a carrier brings back is told whole, at the part's end."""
        opened = self._open.pop((ended.choice, ended.index), None)
        if opened is None or not opened.pieces.keys() & {"signature", "sealed"}:
            return b""
        whole = {name: "".join(pieces) for name, pieces in opened.pieces.items()}
        index = self._details.get(ended.choice, 0)
        self._details[ended.choice] = index + 1
        signature, sealed = whole.get("signature"), whole.get("sealed")
        if opened.kind == "tool_call":
            entry = call_details(opened.call_id, signature or sealed or "", opened.wire, index)
        else:
            reasoning = Reasoning(whole.get("text", ""), signature, sealed, opened.wire, opened.id)
            entry = details(reasoning, index)
        return self._delta(ended.choice, {"reasoning_details": [entry]})
