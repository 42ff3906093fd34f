"""tool_depth: how many rounds of tool calls may follow one message of the user."""

import msgspec
from msgspec import Raw, Struct

from tidegate.core.limit import Demand
from tidegate.core.plan import Limit
from tidegate.limits._kind import Judge
from tidegate.limits._words import judged

_NONE = (b"null", b"[]")


class _Message(Struct):
    """`function_call` is how a single call was written before there were several. Anthropic's calls
    and results are parts of the content, and results come as the user's."""

    role: str | None = None
    content: Raw = Raw(b"null")
    tool_calls: Raw = Raw(b"null")
    function_call: Raw = Raw(b"null")


_decode = msgspec.json.Decoder(list[_Message]).decode


def rounds(messages: bytes | Raw) -> int:
    """Answers with tool calls since the last message of the user. 0 for what is no conversation:
    its provider says so."""
    try:
        told = _decode(messages)
    except (msgspec.DecodeError, RecursionError):
        return 0
    found = 0
    for message in reversed(told):
        content = bytes(message.content)
        if message.role == "user" and not _has_part(content, b'"tool_result"'):
            break
        called = bytes(message.tool_calls), bytes(message.function_call)
        found += any(call not in _NONE for call in called) or _has_part(content, b'"tool_use"')
    return found


def _has_part(content: bytes, kind: bytes) -> bool:
    """Within a text the quotes around a word are escaped."""
    return content[:1] == b"[" and kind in content


class ToolDepth(Judge):
    noun = "rounds of tool calls"

    def check(self, limit: Limit, demand: Demand) -> None:
        messages = demand.ask.members.get("messages")
        if demand.ask.endpoint != "chat" or messages is None:
            return
        depth = rounds(messages)
        if depth > limit.amount:
            raise judged(
                "turn_limit_exceeded",
                limit,
                depth,
                f"the conversation has {depth:,} rounds of tool calls since the user's last "
                f"message, and {limit.amount:,} are allowed; ask the user, waiting does not help",
                "messages",
            )


plug = ToolDepth()
