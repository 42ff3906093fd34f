"""Rounds of tool calls: how often a model has called tools since its user has spoken."""

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import OPENAI_RESPONSES, Ask, turns_of

_NONE = (b"null", b"[]")


class _Message(Struct):
    """`function_call` is how a single call was written before there were several. Anthropic's calls
    and results are parts of the content, and results come as the user's."""

    role: str | None = None
    content: Raw = Raw(b"null")
    tool_calls: Raw = Raw(b"null")
    function_call: Raw = Raw(b"null")


class _Item(Struct):
    """Of Responses. What the model thinks and says stands between its calls."""

    type: str | None = None
    role: str | None = None


_messages = msgspec.json.Decoder(list[_Message]).decode
_items = msgspec.json.Decoder(list[_Item]).decode


def rounds(ask: Ask) -> int:
    """Answers with tool calls since the last message of the user, also those that are kept
    elsewhere. 0 for what is no conversation: its provider says so."""
    turns = turns_of(ask)
    if turns is None:
        return 0
    try:
        if ask.dialect == OPENAI_RESPONSES:
            return _of_items(turns, ask.rounds_before)
        return _of_messages(turns)
    except (msgspec.DecodeError, RecursionError):
        return 0


def _of_messages(turns: Raw) -> int:
    found = 0
    for message in reversed(_messages(turns)):
        content = bytes(message.content)
        if message.role == "user" and not _has_part(content, b'"tool_result"'):
            break
        called = bytes(message.tool_calls), bytes(message.function_call)
        found += any(call not in _NONE for call in called) or _has_part(content, b'"tool_use"')
    return found


def _of_items(turns: Raw, before: int) -> int:
    """Calls that no answer of a tool stands between are one round. Answers to no call that is here
    are to those of the answer that is gone on from."""
    found = 0
    answered, in_round = False, False
    for item in reversed(_items(turns)):
        kind = item.type or "message"
        if kind == "message" and item.role == "user":
            return found
        if kind.endswith("_call_output"):
            answered, in_round = True, False
        elif kind.endswith("_call"):
            found += not in_round
            answered, in_round = False, True
    return found + answered + before


def _has_part(content: bytes, kind: bytes) -> bool:
    """Within a text the quotes around a word are escaped."""
    return content[:1] == b"[" and kind in content
