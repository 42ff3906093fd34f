"""unseen: what a request of OpenAI's Responses sets going besides what stands in its body."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import OPENAI_RESPONSES, Ask
from tidegate.core.plan import Target

# No model's context is larger, where a target does not say how large its own is.
MOST_CONTEXT_TOKENS: Final = 2_000_000
# Tools that the caller runs, so that what they answer comes in the body of its next request.
_CALLERS: Final = frozenset({"function", "custom"})
_NULL: Final = Raw(b"null")


class _Tool(Struct):
    type: Any = None


_tools = msgspec.json.Decoder(list[_Tool] | None).decode


def unseen_tokens(ask: Ask, target: Target) -> int:
    """The most that its provider may put before the model besides: earlier answers that it keeps, a
    prompt of its own, what its own tools find."""
    if ask.dialect != OPENAI_RESPONSES:
        return 0
    kept = (ask.members.get(name, _NULL) for name in ("previous_response_id", "prompt"))
    if all(raw == _NULL for raw in kept) and not has_hosted_tools(ask):
        return 0
    return target.context_tokens or MOST_CONTEXT_TOKENS


def has_hosted_tools(ask: Ask) -> bool:
    """It asks for tools that its provider runs, and charges for."""
    if ask.dialect != OPENAI_RESPONSES:
        return False
    try:
        tools = _tools(ask.members.get("tools", _NULL))
    except (msgspec.DecodeError, RecursionError):
        return True
    return any(tool.type not in _CALLERS for tool in tools or ())
