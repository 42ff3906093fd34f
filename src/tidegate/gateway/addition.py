"""addition: what a route adds to a chat: a system prompt, and parameters that its caller left open.

Both are written into the body in its caller's own wire, before anything is counted, so that limits
and prices see what is sent. A parameter for which that wire has no place is left out.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES, Ask
from tidegate.core.plan import Route
from tidegate.core.receipt import OPENAI_CHAT, Receipt
from tidegate.gateway.size import note_conversation

_CEILINGS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_SAMPLING: Final = ("temperature", "top_p", "top_k")
# What OpenAI's chat completions call it, by what the wire does.
_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    ANTHROPIC_MESSAGES: {
        "temperature": "temperature",
        "top_p": "top_p",
        "top_k": "top_k",
        "stop": "stop_sequences",
    },
    OPENAI_RESPONSES: {
        "temperature": "temperature",
        "top_p": "top_p",
        "max_tokens": "max_output_tokens",
        "max_completion_tokens": "max_output_tokens",
        "reasoning_effort": "reasoning",
        "service_tier": "service_tier",
        "parallel_tool_calls": "parallel_tool_calls",
        "prompt_cache_key": "prompt_cache_key",
        "top_logprobs": "top_logprobs",
    },
}
_BREAK: Final = "\n\n"
_SYSTEM: Final = ("system", "developer")
_NULL: Final = Raw(b"null")
_OFF: Final = b'{"type":"disabled"}'
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode
_turns: Final = msgspec.json.Decoder(list[Raw]).decode
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
Parameters = tuple[tuple[str, Raw], ...]


class Addition(Struct, frozen=True):
    """What one route adds. `parameters` are by the dialect of the caller."""

    system_prompt: str | None
    parameters: Mapping[str, Parameters]

    def to(self, ask: Ask, receipt: Receipt) -> None:
        """Writes it into the request, whose members are others then."""
        if ask.endpoint != "chat":
            return
        members = dict(ask.members)
        add_open(self.parameters.get(ask.dialect, ()), ask, members)
        if self.system_prompt is not None:
            note_conversation(ask, receipt)  # as its caller knows it, whatever release serves
            prepend(self.system_prompt, ask.dialect, members)
        ask.members, ask.body = members, _encode(members)


def addition_of(route: Route) -> Addition | None:
    """None where the route adds nothing."""
    if route.system_prompt is None and not route.parameters:
        return None
    return Addition(route.system_prompt, by_dialect(route.parameters))


def by_dialect(parameters: tuple[tuple[str, str], ...]) -> Mapping[str, Parameters]:
    """Members of OpenAI's chats as the wire of every caller has them."""
    told = [(name, Raw(value.encode())) for name, value in parameters]
    known: dict[str, Parameters] = {OPENAI_CHAT: tuple(told)}
    for dialect, names in _NAMES.items():
        known[dialect] = tuple(
            (names[name], _translated(dialect, name, value))
            for name, value in told
            if name in names and _has_place(dialect, name, value)
        )
    return known


def add_open(parameters: Parameters, ask: Ask, members: dict[str, Raw]) -> None:
    """Puts among a chat's members those that its caller has left open."""
    # A request for a count has no place for them, and they count for nothing.
    for name, value in () if ask.counts else parameters:
        if _is_open(name, ask.members):
            members[name] = value
            if name in _CEILINGS:
                ask.output_ceiling_tokens, ask.ceiling_of_route = _decode(value), True


def _has_place(dialect: str, name: str, value: Raw) -> bool:
    """Anthropic's temperature ends at 1, OpenAI's at 2."""
    if dialect != ANTHROPIC_MESSAGES or name != "temperature":
        return True
    degree = _decode(value)
    return isinstance(degree, int | float) and degree <= 1


def _translated(dialect: str, name: str, value: Raw) -> Raw:
    """The value of one of OpenAI's parameters as another wire has it."""
    if dialect == ANTHROPIC_MESSAGES and name == "stop" and bytes(value)[:1] != b"[":
        return Raw(b"[%b]" % bytes(value))
    if dialect == OPENAI_RESPONSES and name == "reasoning_effort":
        return Raw(b'{"effort":%b}' % bytes(value))
    return value


def _is_open(name: str, members: Mapping[str, Raw]) -> bool:
    """Whether the caller has left it to the route."""
    names = _CEILINGS if name in _CEILINGS else (name,)
    if any(members.get(one, _NULL) != _NULL for one in names):
        return False
    # Models that are asked to think take no other way of sampling than their own.
    thinks = bytes(members.get("thinking", _NULL)) not in (b"null", _OFF)
    return not (thinks and name in _SAMPLING)


def prepend(prompt: str, dialect: str, members: dict[str, Raw]) -> None:
    """A system prompt ahead of the caller's own."""
    if dialect == OPENAI_CHAT:
        members["messages"] = _with_turn(prompt, members["messages"])
        return
    name = "instructions" if dialect == OPENAI_RESPONSES else "system"
    members[name] = _before(prompt, members.get(name, _NULL))


def _with_turn(prompt: str, messages: Raw) -> Raw:
    """One system prompt in all: some models' templates have no place for a second."""
    first: dict[str, Raw] = {}
    try:
        turns = _turns(messages)
        if turns:
            first = _members(turns[0])
        system = _decode(first.get("role", _NULL)) in _SYSTEM
    except (msgspec.DecodeError, RecursionError):
        return messages  # it is for the target to say what is wrong with it
    if system:
        first["content"] = _before(prompt, first.get("content", _NULL))
        turns[0] = Raw(_encode(first))
        return Raw(_encode(turns))
    own = _encode({"role": "system", "content": prompt})
    rest = bytes(messages).strip()[1:]
    return Raw(b"[%b%b%b" % (own, b"" if rest.lstrip() == b"]" else b",", rest))


def _before(prompt: str, content: Raw) -> Raw:
    """The route's prompt, then the caller's: a text, or parts."""
    found = bytes(content).lstrip()
    if found[:1] == b"[":
        part = _encode({"type": "text", "text": prompt})
        rest = found[1:]
        return Raw(b"[%b%b%b" % (part, b"" if rest.lstrip()[:1] == b"]" else b",", rest))
    if found[:1] == b'"':
        return Raw(_encode(prompt + _BREAK + str(_decode(content))))
    return Raw(_encode(prompt)) if found[:4] == b"null" else content
