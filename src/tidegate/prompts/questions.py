"""A captured question as the parts that its provider reads, in the provider's order."""

from typing import Any, Final

import msgspec

from tidegate.prompts.unstable import Part

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def parts_of(messages: str, tools: str | None = None) -> list[Part]:
    """Tools, then messages. What is no text is told as JSON; ValueError where it is no JSON."""
    try:
        told = _decode(messages)
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("it is no list of messages") from None
    parts = [] if tools is None else [Part("tools", tools)]
    for message in told if isinstance(told, list) else []:
        if not isinstance(message, dict):
            continue
        role = message.get("role") or message.get("type")
        more = {name: it for name, it in message.items() if name not in ("role", "content")}
        said = _text(message.get("content")) + (_json(more) if more else "")
        parts.append(Part(role if isinstance(role, str) else "", said))
    return parts


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, list):
        return _json(content)
    return "\n".join(
        it["text"] if isinstance(it, dict) and isinstance(it.get("text"), str) else _json(it)
        for it in content
    )


def _json(value: Any) -> str:
    return _encode(value).decode()
