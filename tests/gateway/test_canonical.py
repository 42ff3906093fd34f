"""Requests that ask the same have one text, and those that do not have another. Both directions."""

import json
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES
from tidegate.core.receipt import OPENAI_CHAT
from tidegate.gateway.canonical import Canonical, canonical, hears_users, keeps_sampling, says_twice

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
# What a caller may say of an answer, with values that are no default.
ASKED = {
    "temperature": st.sampled_from([0, 0.25, 0.5, 2]),
    "top_p": st.sampled_from([0.1, 0.5]),
    "seed": st.integers(-5, 5),
    "n": st.integers(2, 4),
    "max_tokens": st.integers(1, 100),
    "stop": st.lists(st.text(max_size=3), min_size=1, max_size=2),
    "presence_penalty": st.sampled_from([-1, 0.5]),
    "tools": st.just([TOOL]),
    "response_format": st.just({"type": "json_object"}),
    "logit_bias": st.just({"7": 3}),
}
# What it may say besides that says nothing.
NOTHING: dict[str, list[Any]] = {
    "n": [1, 1.0, None],
    "presence_penalty": [None],
    "frequency_penalty": [None],
    "logit_bias": [{}, None],
    "logprobs": [False, None],
    "tools": [[], None],
    "tool_choice": ["auto", None],
    "parallel_tool_calls": [None],
    "response_format": [{"type": "text"}, None],
    "stop": [[], None],
    "temperature": [None],
    "top_p": [None],
    "seed": [None],
    "max_tokens": [None],
    "stream": [True, False, None],
    "stream_options": [{"include_usage": True}, {"include_usage": False}, {}, None],
    "store": [False, None],
    "user": ["a", "b"],
    "safety_identifier": ["x"],
    "metadata": [{"a": "b"}, None],
    "prompt_cache_key": ["p"],
}


def form(*names: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    return {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}


def read(body: Any, dialect: str = OPENAI_CHAT, *, own: bool = False) -> Canonical:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    found = canonical(raw, dialect, keeps_sampling=own)
    assert found is not None
    return found


def spelled(draw: st.DrawFn, value: Any) -> bytes:
    """JSON of the value, with members in any order and numbers and texts in any spelling."""
    if isinstance(value, dict):
        names = draw(st.permutations(list(value)))
        members = (msgspec.json.encode(it) + b":" + spelled(draw, value[it]) for it in names)
        return b"{ " + b", ".join(members) + b"}"
    if isinstance(value, list):
        return b"[" + b" ,".join(spelled(draw, it) for it in value) + b"]"
    if isinstance(value, bool) or value is None:
        return msgspec.json.encode(value)
    if isinstance(value, int) and draw(st.booleans()) and abs(value) < 2**53:
        return draw(st.sampled_from([f"{value}.0", f"{value}e0", f"{value}.00E+0"])).encode()
    if isinstance(value, str) and draw(st.booleans()):
        units = value.encode("utf-16-be", "surrogatepass")
        return b'"%b"' % b"".join(
            b"\\u%02x%02x" % (units[i], units[i + 1]) for i in range(0, len(units), 2)
        )
    return msgspec.json.encode(value)


@st.composite
def alike(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two bodies that ask the same."""
    asked = draw(st.fixed_dictionaries({}, optional=ASKED))
    unknown = draw(st.dictionaries(NAMES.map(lambda name: f"x_{name}"), VALUES, max_size=2))
    bodies = []
    for _ in range(2):
        told = draw(st.lists(st.sampled_from(sorted(NOTHING)), unique=True, max_size=4))
        more = {it: draw(st.sampled_from(NOTHING[it])) for it in told if it not in asked}
        bodies.append(spelled(draw, {**CHAT, **unknown, **asked, **more}))
    return bodies[0], bodies[1]


@given(alike())
def test_what_asks_the_same_is_one_text(bodies: tuple[bytes, bytes]) -> None:
    one, other = map(read, bodies)
    assert one.text == other.text


@st.composite
def different(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two bodies that differ in one thing that a model hears of, or that nobody knows."""
    asked = {**CHAT, **draw(st.fixed_dictionaries({}, optional=ASKED))}
    name = draw(st.sampled_from([*sorted(ASKED), "x_other", "messages"]))
    one, other = {**asked}, {**asked}
    if name == "messages":
        said = draw(st.lists(st.text(max_size=5), min_size=2, max_size=2, unique=True))
        for body, text in zip((one, other), said, strict=True):
            body["messages"] = [{"role": "user", "content": text}]
    elif name == "x_other":
        one[name], other[name] = draw(st.tuples(VALUES, VALUES).filter(lambda it: it[0] != it[1]))
    else:
        values = st.tuples(ASKED[name], ASKED[name]).filter(lambda it: it[0] != it[1])
        if name in ("tools", "response_format", "logit_bias"):
            one.pop(name, None)
            other[name] = draw(ASKED[name])
        else:
            one[name], other[name] = draw(values)
    return one, other


@given(different())
def test_what_asks_something_else_is_another_text(
    bodies: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    one, other = bodies
    if same_json(one, other):
        return  # 1 and True are equal to Python alone
    assert read(one).text != read(other).text


def same_json(one: Any, other: Any) -> bool:
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}])
def test_a_member_that_nobody_knows_is_part_of_it(value: Any) -> None:
    assert read({**CHAT, "x_new": value}).text != read(CHAT).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"stop": "x"}, {"stop": ["x"]}),
        ({"tool_choice": "none"}, {}),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}, {}),
        ({"messages": [{"role": "user", "content": "hi", "name": None}]}, {}),
        (
            {"tools": [{"type": "function", "function": {**TOOL["function"], "strict": False}}]},
            {"tools": [TOOL]},
        ),
    ],
)
def test_two_ways_to_say_it_are_one(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert read({**CHAT, **one}).text == read({**CHAT, **other}).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"tools": [TOOL], "tool_choice": "none"}, {"tools": [TOOL]}),
        ({"max_tokens": 5}, {"max_completion_tokens": 5}),
        ({"n": 2}, {"n": 3}),
        ({"seed": 0}, {}),
        ({"seed": 0}, {"seed": False}),
        ({"temperature": 0}, {}),
        ({"temperature": 1}, {}),
        ({"presence_penalty": 0}, {}),
        ({"parallel_tool_calls": True}, {}),
        ({"response_format": form("a", "b")}, {"response_format": form("b", "a")}),
    ],
)
def test_two_things_are_two(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert read({**CHAT, **one}).text != read({**CHAT, **other}).text


def test_sampling_that_is_not_asked_for_is_the_apis_only_at_its_own_company() -> None:
    told = {**CHAT, "temperature": 1.0, "top_p": 1, "presence_penalty": -0.0}
    assert read(told, own=True).text == read(CHAT, own=True).text
    assert read(told).text != read(CHAT).text
    assert keeps_sampling({"openai", "azure_openai"})
    assert not keeps_sampling({"openai", "vllm"})


def test_not_to_think_is_no_default_of_every_model() -> None:
    asked = {**CHAT, "max_tokens": 5}
    told = {**asked, "thinking": {"type": "disabled"}}
    assert read(told, ANTHROPIC_MESSAGES).text != read(asked, ANTHROPIC_MESSAGES).text


def test_a_server_of_which_nobody_knows_what_it_is_may_hear_who_asks() -> None:
    one, other = (
        canonical(msgspec.json.encode(body), OPENAI_CHAT, keeps_sampling=False, hears_users=True)
        for body in ({**CHAT, "user": "a"}, {**CHAT, "user": "b"})
    )
    assert one is not None
    assert other is not None
    assert one.text != other.text
    assert hears_users({"openai_compatible", "openai"}) and hears_users({"any_llm"})
    assert not hears_users({"openai", "vllm"})


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"role":"user","content":"x","content":"y"}]}',
        b'{"messages":[{"role":"user","content":"\\u003a","content":"y"}]}',
        b'{"system" :"x","system":"y", "messages":[]}',
    ],
)
def test_what_says_a_member_twice_is_found(body: bytes) -> None:
    assert says_twice(body)


def test_what_says_each_member_once_is_told_from_it() -> None:
    said = {**CHAT, "messages": [{"role": "user", "content": 'a":1, \\ é {"b": 2}'}]}
    assert not says_twice(msgspec.json.encode(said))
    assert not says_twice(json.dumps(said, indent=1).encode())


def test_the_other_wires_have_defaults_of_their_own() -> None:
    messages = {**CHAT, "max_tokens": 5}
    told = {**messages, "stop_sequences": [], "thinking": None, "system": None}
    assert read(told, ANTHROPIC_MESSAGES).text == read(messages, ANTHROPIC_MESSAGES).text
    of_user = {**messages, "metadata": {"user_id": "u"}}
    assert read(of_user, ANTHROPIC_MESSAGES).text == read(messages, ANTHROPIC_MESSAGES).text
    responses = {"model": "m", "input": "hi"}
    told = {**responses, "truncation": "disabled", "text": {"format": {"type": "text"}}}
    assert read(told, OPENAI_RESPONSES).text == read(responses, OPENAI_RESPONSES).text
    named = {**responses, "metadata": {"a": "b"}}
    assert read(named, OPENAI_RESPONSES).text != read(responses, OPENAI_RESPONSES).text, (
        "the answer says it again"
    )
    assert read({**CHAT, "n": 1}, "another").text != read(CHAT, "another").text


def test_an_answer_to_what_is_plain_says_the_same_in_either_form() -> None:
    assert read({**CHAT, "seed": 1, "tools": [TOOL]}).plain
    assert not read({**CHAT, "logprobs": True}).plain
    assert not read({**CHAT, "x_new": 1}).plain


@pytest.mark.parametrize("body", [b'{"model":"m","x":1e999}', b"[]", b'{"a":"\xff"}', b"{"])
def test_what_cannot_be_told_from_others_is_not_looked_for(body: bytes) -> None:
    assert canonical(body, OPENAI_CHAT, keeps_sampling=False) is None


@pytest.mark.parametrize(
    ("asked", "so"),
    [
        ({"temperature": 0, "seed": 1}, True),
        ({"temperature": 0.0, "seed": 1.0}, True),
        ({"temperature": 0}, False),
        ({"temperature": False, "seed": 1}, False),
        ({"temperature": 0, "seed": "1"}, False),
    ],
)
def test_who_wants_the_same_says_so(asked: dict[str, Any], so: bool) -> None:
    assert read({**CHAT, **asked}).deterministic is so
