"""An answer of OpenAI's Responses: its object, and the items that it is made of."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Raw

from tidegate.core.ask import Ask, Usage
from tidegate.core.conversation import Reasoning, Refused, ToolCall
from tidegate.core.plugs import Stamp
from tidegate.core.spoken import Choice, Reason, SpokenPart
from tidegate.dialects._carriers import mark
from tidegate.dialects._openai_members import call_id_of

Item = dict[str, Any]
# What the caller asked for and reads again in the answer, and what stands there otherwise.
_ECHOED: Final[Mapping[str, bytes]] = {
    "instructions": b"null",
    "max_output_tokens": b"null",
    "metadata": b"{}",
    "parallel_tool_calls": b"true",
    "reasoning": b'{"effort":null,"summary":null}',
    "temperature": b"null",
    "text": b'{"format":{"type":"text"}}',
    "tool_choice": b'"auto"',
    "tools": b"[]",
    "top_p": b"null",
    "user": b"null",
}
_NULL: Final = b"null"
_CUT: Final[frozenset[Reason]] = frozenset({"length", "context_full"})


def usage_members(usage: Usage | None) -> dict[str, Any] | None:
    """`usage`; None where input or output is unknown, or the figures contradict. Of the classes,
    which clients read unasked, those that nobody tells are written as 0."""
    if usage is None or usage.conflict or usage.input_tokens is None or usage.output_tokens is None:
        return None
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    reasoning = usage.reasoning_tokens or 0
    input_tokens = usage.input_tokens + read + written
    output_tokens = usage.output_tokens + reasoning
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input_tokens + output_tokens,
    }


def is_cut(reason: Reason | None) -> bool:
    """The answer's last item is not whole."""
    return reason in _CUT


def terminal_of(reason: Reason | None) -> tuple[str, dict[str, str] | None]:
    """(status, incomplete_details) of an answer that ended so."""
    if is_cut(reason):
        return "incomplete", {"reason": "max_output_tokens"}
    if reason == "refusal":
        return "incomplete", {"reason": "content_filter"}
    return "completed", None


def response(ask: Ask, stamp: Stamp, model: str | None) -> dict[str, Any]:
    """The object as it stands while nothing has been said. Nothing is stored here, whatever was
    asked for."""
    told: dict[str, Any] = {
        "id": f"resp_{stamp.id}",
        "object": "response",
        "created_at": int(stamp.at_s),
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": model or ask.model,
        "output": [],
        "previous_response_id": None,
        "store": False,
        "truncation": "disabled",
        "usage": None,
    }
    for name, otherwise in _ECHOED.items():
        raw = ask.members.get(name)
        told[name] = Raw(otherwise) if raw is None or bytes(raw) == _NULL else raw
    return told


def ended(
    begun: dict[str, Any], output: list[Item], usage: Usage | None, reason: Reason | None
) -> dict[str, Any]:
    """The object at the answer's end."""
    status, details = terminal_of(reason)
    told = {"status": status, "incomplete_details": details, "output": output}
    return {**begun, **told, "usage": usage_members(usage)}


def item_id(prefix: str, stamp: Stamp, index: int) -> str:
    return f"{prefix}_{stamp.id}_{index}"


def reasoning_id(part: Reasoning, stamp: Stamp, index: int) -> str:
    """Its own, where it is an item of this wire already."""
    if part.id is not None and part.wire == "openai_responses":
        return part.id
    return item_id("rs", stamp, index)


def text_part(text: str) -> Item:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def refusal_part(text: str) -> Item:
    return {"type": "refusal", "refusal": text}


def message_item(id: str, status: str, content: list[Item]) -> Item:
    told = {"id": id, "type": "message", "status": status, "role": "assistant"}
    return {**told, "content": content}


def call_item(id: str, status: str, call_id: str, name: str, arguments: str) -> Item:
    told = {"id": id, "type": "function_call", "status": status, "arguments": arguments}
    return {**told, "call_id": call_id, "name": name}


def reasoning_item(id: str, part: Reasoning) -> Item:
    """With what only its own wire's models can read, where there is any."""
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    told: Item = {"id": id, "type": "reasoning", "summary": summary}
    kind, payload = "sealed", part.sealed
    if payload is None:
        kind, payload = "signature", part.signature
    if payload is not None:
        told["encrypted_content"] = mark(part.wire, kind, part.id, payload, "openai_responses")
    return told


def signature_item(id: str, call: ToolCall) -> Item:
    """What signs a call: an item of its own, right after it."""
    sealed = mark(call.wire, "call", call.id, call.signature or "", "openai_responses")
    return {"id": id, "type": "reasoning", "summary": [], "encrypted_content": sealed}


def items_of(choice: Choice, stamp: Stamp) -> list[Item]:
    """The items of a whole answer."""
    items: list[Item] = []
    last = len(choice.parts) - 1
    for at, part in enumerate(choice.parts):
        status = "incomplete" if at == last and is_cut(choice.reason) else "completed"
        items += _items_of(part, status, stamp, len(items))
    return items


def _items_of(part: SpokenPart, status: str, stamp: Stamp, index: int) -> list[Item]:
    if isinstance(part, ToolCall):
        call_id = call_id_of(part.id, stamp, index)
        call = ToolCall(call_id, part.name, part.arguments, part.signature, part.wire)
        items = [call_item(item_id("fc", stamp, index), status, call_id, part.name, part.arguments)]
        if part.signature is not None:
            items.append(signature_item(item_id("rs", stamp, index + 1), call))
        return items
    if isinstance(part, Reasoning):
        if not part.text and part.signature is None and part.sealed is None:
            return []
        return [reasoning_item(reasoning_id(part, stamp, index), part)]
    if not part.text:
        return []
    content = refusal_part(part.text) if isinstance(part, Refused) else text_part(part.text)
    return [message_item(item_id("msg", stamp, index), status, [content])]
