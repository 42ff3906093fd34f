"""Reasoning that only its own wire's models can read, carried through a caller who cannot.

In OpenAI's chat it travels as `reasoning_details`, as OpenRouter writes them: each entry names its
wire, so that it is never shown to another's model. In Anthropic's wire and in Responses, which
know no other's, it travels where their own would, behind a mark and the wire's name.
"""

from collections.abc import Iterable
from typing import Any, Final, get_args

from msgspec import Struct

from tidegate.core.conversation import Reasoning, ToolCall, Wire

_FORMATS: Final[dict[Wire, str]] = {
    "anthropic": "anthropic-claude-v1",
    "openai_responses": "openai-responses-v1",
    "gemini": "google-gemini-v1",
    "bedrock": "amazon-bedrock-v1",
}
_WIRES: Final[dict[str, Wire]] = {text: wire for wire, text in _FORMATS.items()}
_MARK: Final = "tidegate"
_KNOWN: Final = frozenset(get_args(Wire))


class Detail(Struct, gc=False):
    """One entry of `reasoning_details`; members that it has besides are its writer's own."""

    type: str
    text: str | None = None
    summary: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    format: str | None = None


def details(reasoning: Reasoning, index: int) -> dict[str, Any]:
    """An entry that brings `reasoning` back as it was."""
    told: dict[str, Any] = {"type": "reasoning.text", "index": index}
    if reasoning.text or reasoning.sealed is None:
        told["text"] = reasoning.text
    else:
        told["type"] = "reasoning.encrypted"
    for name, value in (
        ("signature", reasoning.signature),
        ("data", reasoning.sealed),
        ("id", reasoning.id),
        ("format", reasoning.wire and _FORMATS[reasoning.wire]),
    ):
        if value is not None:
            told[name] = value
    return told


def call_details(call_id: str, signature: str, wire: Wire | None, index: int) -> dict[str, Any]:
    """An entry that brings back what signs a call, which is named by its id."""
    told = {"type": "reasoning.encrypted", "index": index, "data": signature, "id": call_id}
    return told if wire is None else {**told, "format": _FORMATS[wire]}


def from_details(told: Iterable[Detail], calls: list[ToolCall]) -> list[Reasoning]:
    """The reasoning that entries bring back. What signs one of `calls` is put to it there."""
    places = {call.id: at for at, call in enumerate(calls)}
    found = []
    for one in told:
        wire = _WIRES.get(one.format or "")
        if one.data is not None and one.id in places and one.text is None:
            at = places[one.id]
            call = calls[at]
            calls[at] = ToolCall(call.id, call.name, call.arguments, one.data, wire, call.cache)
        else:
            text = one.text if one.text is not None else one.summary or ""
            found.append(Reasoning(text, one.signature or None, one.data, wire, one.id))
    return found


def mark(
    wire: Wire | None, kind: str, name: str | None, payload: str, own: Wire = "anthropic"
) -> str:
    """`payload` where only `own`'s would stand: as it is, if it is theirs."""
    if wire in (None, own):
        return payload
    return f"{_MARK}:{wire}:{kind}:{name or ''}:{payload}"


def unmark(text: str, own: Wire = "anthropic") -> tuple[Wire | None, str, str | None, str]:
    """(wire, kind, name, payload) of what `mark` has written; what is `own` has no kind."""
    if text.startswith(f"{_MARK}:"):
        parts = text.split(":", 4)
        if len(parts) == 5 and parts[1] in _KNOWN:
            wire: Any = parts[1]
            return wire, parts[2], parts[3] or None, parts[4]
    return (own if text else None), "", None, text
