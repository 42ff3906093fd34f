"""Anthropic's Messages, as a caller's dialect."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.conversation import Conversation, Reasoning, ToolCall
from tidegate.core.ladder import History
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import Stamp
from tidegate.core.receipt import Endpoint
from tidegate.core.spoken import Choice, Spoken
from tidegate.dialects._anthropic_request import read
from tidegate.dialects._anthropic_stream import (
    STOP_REASONS,
    AnthropicWriter,
    call_id_of,
    is_object,
    usage_members,
)
from tidegate.dialects._carriers import mark
from tidegate.dialects._trimmed import left_out, parts_of, trimmed
from tidegate.dialects._turns import with_turns
from tidegate.text.history import Speaker

_encode = msgspec.json.Encoder().encode
# Anthropic's word for each status that an error has here.
_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class AnthropicMessages:
    """core.plugs.Dialect."""

    name = "anthropic_messages"
    paths: Mapping[bytes, Endpoint] = {
        b"/v1/messages": "chat",
        b"/messages": "chat",
        b"/anthropic/v1/messages": "chat",
    }
    count_paths: Mapping[bytes, str] = {path + b"/count_tokens": "input_tokens" for path in paths}
    content = "messages"
    starts = b"["
    ceiling = "max_tokens"
    needs_ceiling = True
    keep_alive = b'event: ping\ndata: {"type": "ping"}\n\n'
    passes = ("anthropic-beta",)
    id_header = "request-id"

    def read(self, ask: Ask) -> Conversation:
        return read(ask)

    def writer(self, ask: Ask, stamp: Stamp) -> AnthropicWriter:
        return AnthropicWriter(ask, stamp)

    def whole(self, ask: Ask, stamp: Stamp, spoken: Spoken) -> bytes:
        choice = spoken.choices[0] if spoken.choices else Choice()
        return _encode(
            {
                "id": spoken.id or f"msg_{stamp.id}",
                "type": "message",
                "role": "assistant",
                "model": spoken.model or ask.model,
                "content": _blocks(choice, stamp),
                "stop_reason": choice.reason and STOP_REASONS[choice.reason],
                "stop_sequence": choice.stop_sequence,
                "usage": {"input_tokens": 0, **usage_members(spoken.usage)},
            }
        )

    def with_turns(self, content: Raw, said: str, told: str) -> Raw:
        return with_turns(content, said, told)

    def trimmed(self, content: Raw, rule: History) -> Raw:
        return trimmed(content, rule, _speaker, _without_results)

    def status(self, no: Refusal | Failure) -> int:
        status = no.status if isinstance(no, Failure) else no.code.status
        return 529 if no.code.name in ("overloaded", "upstream_overloaded") else status

    def error(self, no: Refusal | Failure, request_id: str) -> bytes:
        status = self.status(no)
        fallback = "invalid_request_error" if status < 500 else "api_error"
        error = {"type": _TYPES.get(status, fallback), "message": no.message}
        return _encode({"type": "error", "error": error, "request_id": request_id})

    def error_event(self, no: Refusal | Failure, request_id: str, sequence: int) -> bytes:
        return b"event: error\ndata: %b\n\n" % self.error(no, request_id)


def _speaker(turn: dict[str, Any]) -> tuple[Speaker, tuple[str, ...]]:
    """What a tool has said comes in a user's message, which is no turn of its own."""
    if turn.get("role") == "assistant":
        return "model", _ids(parts_of(turn, "tool_use"), "id")
    results = parts_of(turn, "tool_result")
    return ("tool" if results else "user"), _ids(results, "tool_use_id")


def _ids(parts: list[dict[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(it[name] for it in parts if isinstance(it.get(name), str))


def _without_results(turn: dict[str, Any]) -> dict[str, Any]:
    results = parts_of(turn, "tool_result")
    content = [left_out(it, "content") if it in results else it for it in turn["content"]]
    return {**turn, "content": content}


def _blocks(choice: Choice, stamp: Stamp) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in choice.parts:
        if isinstance(part, ToolCall):
            call_id = call_id_of(part.id, stamp, len(blocks))
            arguments = _input(part, cut=choice.reason in ("length", "context_full"))
            call = {"type": "tool_use", "id": call_id, "name": part.name, "input": arguments}
            blocks.append(call)
            if part.signature is not None:
                data = mark(part.wire, "call", call_id, part.signature)
                blocks.append({"type": "redacted_thinking", "data": data})
        elif isinstance(part, Reasoning):
            blocks += _thoughts(part)
        elif part.text:
            blocks.append({"type": "text", "text": part.text})
    return blocks


def _thoughts(part: Reasoning) -> list[dict[str, Any]]:
    if part.sealed is not None:
        data = mark(part.wire, "sealed", part.id, part.sealed)
        if not part.text:
            return [{"type": "redacted_thinking", "data": data}]
        return [{"type": "thinking", "thinking": part.text, "signature": data}]
    if not part.text and part.signature is None:
        return []
    signature = mark(part.wire, "signature", part.id, part.signature or "")
    return [{"type": "thinking", "thinking": part.text, "signature": signature}]


def _input(call: ToolCall, *, cut: bool) -> Raw:
    """The arguments as the object that this wire wants. Of a call that the ceiling has cut there is
    none: it is told as empty, and the stop reason says why."""
    if is_object(call.arguments):
        return Raw(call.arguments.encode())
    if cut or not call.arguments.strip():
        return Raw(b"{}")
    message = "the provider's model wrote a tool's arguments that are no JSON object"
    raise Failure("malformed", "upstream_malformed", message)


plug = AnthropicMessages()
