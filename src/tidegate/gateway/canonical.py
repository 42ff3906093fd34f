"""canonical: one text for all requests that ask the same, and another for any that does not.

Members' order, the spelling of numbers and texts, `null` for what may be left out, and a default
that is written out make no difference. A default is one only where every provider of the wire keeps
it; of sampling only those do whose API it is (`keeps_sampling`), engines take theirs from their
model. A member that nobody here knows is part of the text, `null` or not.

Within the schema of an answer the order of properties does make one: models write in that order.
Of a member that an object has twice the last counts here, and the first may elsewhere
(`says_twice`).

What no model hears of is left out: who the end user is, and what a provider files a request under;
a server of which nobody knows what it is may hear of them (`hears_users`).
Whether an answer is streamed is left out too: it is given in either form.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES
from tidegate.core.receipt import OPENAI_CHAT
from tidegate.text.strict_json import UNREADABLE, JsonProblem, count_members

# The providers of the wires' own companies.
_OWN: Final = frozenset({"openai", "azure_openai", "anthropic"})
# Where anything may stand behind the wire, an application of somebody's too.
_ANYBODYS: Final = frozenset({"any_llm", "openai_compatible"})
_RESPONSES_SAMPLING: Final = {"temperature": 1, "top_p": 1, "parallel_tool_calls": True}
_CHAT_SAMPLING: Final = {**_RESPONSES_SAMPLING, "presence_penalty": 0, "frequency_penalty": 0}


class _Wire(Struct, frozen=True):
    """`known` are members that may be null for nothing; `defaults` what absent ones mean;
    `sampling` those that only the API's own company keeps, as engines are started with others.
    `unheard` are left out, `plain` are those with which an answer says the same in either form."""

    known: frozenset[str]
    defaults: Mapping[str, Any]
    sampling: Mapping[str, Any]
    unheard: frozenset[str]
    plain: frozenset[str]
    stop: str = ""
    content: str = "messages"


_SAMPLED: Final = frozenset({"temperature", "top_p", "top_k", "seed"})
_CHAT_DEFAULTS: Final[Mapping[str, Any]] = {
    "n": 1,
    "logit_bias": {},
    "logprobs": False,
    "tools": [],
    "functions": [],
    "tool_choice": "auto",
    "response_format": {"type": "text"},
    "modalities": ["text"],
    "service_tier": "auto",
    "store": False,
    "stop": [],
    "reasoning_effort": None,
    "verbosity": None,
    "max_tokens": None,
    "max_completion_tokens": None,
    "top_logprobs": None,
    "function_call": None,
    "audio": None,
    "prediction": None,
    "web_search_options": None,
    "stream_options": {},
}
_MESSAGES_DEFAULTS: Final[Mapping[str, Any]] = {
    "stop_sequences": [],
    "tools": [],
    "tool_choice": {"type": "auto"},
    "thinking": None,
    "system": "",
    "service_tier": "auto",
    "output_config": {},
    "output_format": None,
    "cache_control": None,
    "mcp_servers": [],
    "container": None,
}
_RESPONSES_DEFAULTS: Final[Mapping[str, Any]] = {
    "tools": [],
    "tool_choice": "auto",
    "truncation": "disabled",
    "text": {"format": {"type": "text"}},
    "include": [],
    "background": False,
    "service_tier": "auto",
    "instructions": None,
    "metadata": {},
    "reasoning": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "top_logprobs": None,
    "user": None,
    "safety_identifier": None,
    "prompt_cache_key": None,
    "prompt": None,
    "previous_response_id": None,
    "conversation": None,
    "stream_options": {},
}
_WIRES: Final[Mapping[str, _Wire]] = {
    OPENAI_CHAT: _Wire(
        known=frozenset(_CHAT_DEFAULTS) | frozenset(_CHAT_SAMPLING) | _SAMPLED,
        defaults=_CHAT_DEFAULTS,
        sampling=_CHAT_SAMPLING,
        unheard=frozenset(
            {"user", "safety_identifier", "metadata", "prompt_cache_key", "prompt_cache_retention"}
        ),
        plain=frozenset(
            {"messages", "n", "presence_penalty", "frequency_penalty", "logit_bias", "tools"}
            | {"tool_choice", "parallel_tool_calls", "response_format", "service_tier", "stop"}
            | {"reasoning_effort", "verbosity", "max_tokens", "max_completion_tokens"}
            | _SAMPLED
        ),
        stop="stop",
    ),
    ANTHROPIC_MESSAGES: _Wire(
        known=frozenset(_MESSAGES_DEFAULTS) | _SAMPLED,
        defaults=_MESSAGES_DEFAULTS,
        sampling={"temperature": 1},
        unheard=frozenset({"metadata"}),
        plain=frozenset(
            {"messages", "max_tokens", "system", "stop_sequences", "tools", "tool_choice"}
            | {"thinking", "service_tier"}
            | _SAMPLED
        ),
    ),
    # Whose answers say again what was asked, so that nothing of it goes unheard.
    OPENAI_RESPONSES: _Wire(
        known=frozenset(_RESPONSES_DEFAULTS) | frozenset(_RESPONSES_SAMPLING) | _SAMPLED,
        defaults=_RESPONSES_DEFAULTS,
        sampling=_RESPONSES_SAMPLING,
        unheard=frozenset(),
        plain=frozenset(
            {"input", "store", "metadata", "instructions", "tools", "tool_choice", "truncation"}
            | {"parallel_tool_calls", "text", "max_output_tokens", "reasoning", "service_tier"}
            | {"user", "safety_identifier", "prompt_cache_key"}
            | _SAMPLED
        ),
        content="input",
    ),
}
_UNKNOWN: Final = _Wire(frozenset(), {}, {}, frozenset(), frozenset())
# What an answer's form is asked for by.
_FORMS: Final = frozenset({"response_format", "text", "output_config", "output_format"})
# A caller's choice of tools says nothing where there are none.
_NO_CHOICE: Final = ("none", "auto")


class Canonical(Struct, frozen=True):
    """`text` is JSON. `plain`: an answer to it says the same, streamed or whole. `deterministic`:
    it says that it wants the same answer each time."""

    text: bytes
    plain: bool
    deterministic: bool


def canonical(
    body: bytes, dialect: str, *, keeps_sampling: bool, hears_users: bool = False
) -> Canonical | None:
    """None where the body cannot be told from others, such as by numbers beyond all bounds."""
    try:
        members = _decode(body)
        wire = _WIRES.get(dialect, _UNKNOWN)
        deterministic = _is_deterministic(members)
        if not hears_users:
            for name in wire.unheard.intersection(members):
                del members[name]
        _reduce(members, wire, keeps_sampling=keeps_sampling)
        return Canonical(_encode(members), wire.plain.issuperset(members), deterministic)
    except (*UNREADABLE, OverflowError, TypeError):
        return None


def keeps_sampling(kinds: set[str]) -> bool:
    """Whether sampling that is not asked for is as the API has it, at each of these providers."""
    return kinds <= _OWN


def hears_users(kinds: set[str]) -> bool:
    """Whether an answer of one of these providers may depend on who is said to ask."""
    return not kinds.isdisjoint(_ANYBODYS)


def says_twice(body: bytes) -> bool:
    """Whether an object in it has a member twice, or nobody can tell."""
    try:
        return count_members(body) != count_members(_write(_decode(body)))
    except (*UNREADABLE, JsonProblem, OverflowError, TypeError):
        return True


def _is_deterministic(members: dict[str, Any]) -> bool:
    temperature, seed = members.get("temperature"), members.get("seed")
    return type(temperature) is int and temperature == 0 and type(seed) is int


def _reduce(members: dict[str, Any], wire: _Wire, *, keeps_sampling: bool) -> None:
    """Takes out, in place, what says nothing."""
    members.pop("model", None)  # which is the route's name, and the key's already
    members.pop("stream", None)
    options = members.get("stream_options")
    if type(options) is dict:
        options.pop("include_usage", None)
    tools = members.get("tools")
    if type(tools) is list:
        for tool in tools:
            _reduce_tool(tool)
    if not tools and members.get("tool_choice") in _NO_CHOICE:
        del members["tool_choice"]
    stop = members.get(wire.stop)
    if type(stop) is str:
        members[wire.stop] = [stop]
    content = members.get(wire.content)
    if type(content) is list:
        for turn in content:
            _reduce_turn(turn)
    for name in _FORMS.intersection(members):
        _keep_order(members[name])
    _drop_defaults(members, wire.known, wire.defaults)
    if keeps_sampling:
        _drop_defaults(members, wire.known, wire.sampling)


def _keep_order(schema: Any) -> None:
    """Has the properties of a schema, and of those within it, stand in the order they came in."""
    if type(schema) is list:
        for one in schema:
            _keep_order(one)
    elif type(schema) is dict:
        for one in schema.values():
            _keep_order(one)
        properties = schema.get("properties")
        if type(properties) is dict:
            schema["properties"] = list(properties.items())


def _drop_defaults(
    members: dict[str, Any], known: frozenset[str], defaults: Mapping[str, Any]
) -> None:
    for name in known.intersection(members):
        value = members[name]
        if value is None:
            del members[name]
        elif name in defaults:
            default = defaults[name]
            if type(value) is type(default) and value == default:
                del members[name]


def _reduce_turn(turn: Any) -> None:
    """A turn's members are absent where they are null, and one text is a text."""
    if type(turn) is not dict:
        return
    if None in turn.values():
        for name in [name for name, value in turn.items() if value is None]:
            del turn[name]
    content = turn.get("content")
    if type(content) is list and len(content) == 1:
        part = content[0]
        if type(part) is dict and len(part) == 2 and part.get("type") == "text":
            text = part.get("text")
            if type(text) is str:
                turn["content"] = text


def _reduce_tool(tool: Any) -> None:
    if type(tool) is not dict:
        return
    said = tool.get("function")
    for one in (tool, said):
        if type(one) is dict:
            for name in ("strict", "description", "cache_control"):
                if name in one and (one[name] is None or (name == "strict" and one[name] is False)):
                    del one[name]


def number(text: str) -> int | float:
    """2.0 and 2 are one number."""
    number = float(text)
    whole = int(number)
    return whole if whole == number else number


_decode: Final = msgspec.json.Decoder(dict[str, Any], float_hook=number).decode
_write: Final = msgspec.json.Encoder().encode
_encode: Final = msgspec.json.Encoder(order="sorted").encode
