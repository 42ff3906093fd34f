"""unseen: what a request of Responses or Messages sets going besides what stands in its body."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES, Ask
from tidegate.core.plan import Target

# No model's context is larger, where a target does not say how large its own is.
MOST_CONTEXT_TOKENS: Final = 2_000_000
# Tools that the caller runs, so that what they answer comes in the body of its next request.
_CALLERS: Final = frozenset({"function", "custom"})
# Anthropic's, by the beginnings of their dated types: those that the caller runs, and those of its
# own that cost their tokens and no more.
_ANTHROPICS_CALLERS: Final = ("bash_", "text_editor_", "computer_", "memory_")
_ANTHROPICS_FREE: Final = ("web_fetch_", "tool_search_tool_", "mcp_toolset")
_MCP: Final = "mcp_servers"
_NULL: Final = Raw(b"null")
_NONE: Final = (b"null", b"[]")


class _Tool(Struct):
    type: Any = None


_tools = msgspec.json.Decoder(list[_Tool] | None).decode


def unseen_tokens(ask: Ask, target: Target) -> int:
    """The most that its provider may put before the model besides: earlier answers that it keeps, a
    prompt of its own, what its own tools find."""
    if ask.dialect == OPENAI_RESPONSES:
        kept = (ask.members.get(name, _NULL) for name in ("previous_response_id", "prompt"))
        unseen = any(raw != _NULL for raw in kept) or has_hosted_tools(ask)
    elif ask.dialect == ANTHROPIC_MESSAGES and ("tools" in ask.members or _MCP in ask.members):
        unseen = bytes(ask.members.get(_MCP, _NULL)) not in _NONE or _brings(ask, ())
    else:
        return 0
    return (target.context_tokens or MOST_CONTEXT_TOKENS) if unseen else 0


def has_hosted_tools(ask: Ask) -> bool:
    """It asks for tools that its provider runs, and charges for besides tokens."""
    if "tools" not in ask.members:
        return False
    if ask.dialect == ANTHROPIC_MESSAGES:
        return _brings(ask, _ANTHROPICS_FREE)
    if ask.dialect != OPENAI_RESPONSES:
        return False
    tools = _read(ask)
    kinds = [] if tools is None else [tool.type for tool in tools]
    callers = all(isinstance(kind, str) and kind in _CALLERS for kind in kinds)
    return tools is None or not callers


def has_servers(ask: Ask) -> bool:
    """It has its provider call servers of others (MCP), which may act and not only answer."""
    if bytes(ask.members.get(_MCP, _NULL)) not in _NONE:
        return True
    tools = _read(ask)
    return tools is None or any(tool.type == "mcp" for tool in tools)


def _read(ask: Ask) -> list[_Tool] | None:
    """The tools; None where they have a shape of their own."""
    try:
        return _tools(ask.members.get("tools", _NULL)) or []
    except (msgspec.DecodeError, RecursionError):
        return None


def _brings(ask: Ask, besides: tuple[str, ...]) -> bool:
    """A tool that Anthropic runs itself, other than those `besides`."""
    tools = _read(ask)
    if tools is None:
        return True
    known = _ANTHROPICS_CALLERS + besides
    kinds = [tool.type for tool in tools if tool.type not in (None, "custom")]
    return not all(isinstance(kind, str) and kind.startswith(known) for kind in kinds)
