"""Marks for Claude's cache: at the end of what is stable, and nowhere that breaks a request."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from tests.dialects.grammar import ask_of, target
from tests.providers.bedrock_wire import operation, problems

from tidegate.core.conversation import CacheMark, Conversation, Text, Tool, ToolResult, Turn
from tidegate.core.plan import PrefixTtl
from tidegate.providers import anthropic, bedrock
from tidegate.providers._prefix_marks import marked, marked_members

MODEL = "claude-sonnet-4-5"
ON_BEDROCK = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
DIALECT = "anthropic_messages"
LONG = "Say what you mean. " * 300
MARK = {"type": "ephemeral"}
TOOL = {"name": "f", "description": LONG, "input_schema": {"type": "object"}}


def said(system: str = LONG, **fields: Any) -> Conversation:
    return Conversation([Turn("user", (Text("hi"),))], instructions=[Text(system)], **fields)


def members(ttl: PrefixTtl = "5m", model: str = MODEL, **body: Any) -> dict[str, Any]:
    ask = ask_of({"messages": [], **body}, DIALECT)
    ask.prefix_ttl = ttl
    found = marked_members(ask, model)
    return {name: msgspec.json.decode(it) for name, it in found.items()}


def test_the_system_prompt_and_the_tools_end_in_a_mark() -> None:
    first, last = Tool("f", LONG, Raw(b"{}")), Tool("g", "short", None)
    found = marked(said(tools=[first, last]), MODEL, "5m")
    assert found.instructions == [Text(LONG, CacheMark())]
    assert [it.cache for it in found.tools] == [None, CacheMark()]
    hour = marked(said(), MODEL, "1h")
    assert hour.instructions[0].cache == CacheMark("1h")


def test_what_was_said_is_left_as_it_was_for_another_target() -> None:
    before = said(tools=[Tool("f", LONG, None)])
    marked(before, MODEL, "5m")
    assert before == said(tools=[Tool("f", LONG, None)])


RESULT = ToolResult("1", (Text("x", CacheMark()),))


@pytest.mark.parametrize(
    "own",
    [
        said(cache=CacheMark()),
        said(tools=[Tool("f", None, None, None, CacheMark())]),
        Conversation([Turn("user", (Text("x", CacheMark()),))], instructions=[Text(LONG)]),
        Conversation([Turn("user", (RESULT,))], instructions=[Text(LONG)]),
        Conversation([], instructions=[Text(LONG), Text("x", CacheMark())]),
    ],
)
def test_a_caller_s_own_marks_win(own: Conversation) -> None:
    assert marked(own, MODEL, "5m") is own


@pytest.mark.parametrize(
    ("model", "on_bedrock", "system"),
    [
        (MODEL, False, "Be brief."),
        (MODEL, False, " " * 9000),
        ("claude-opus-4-5", False, LONG),  # of 4,096 tokens at least
        ("claude-3-5-haiku-latest", False, LONG),
        ("claude-2.1", False, LONG),
        ("deepseek-chat", False, LONG),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", True, LONG),
    ],
)
def test_what_would_not_be_cached_is_not_marked(model: str, on_bedrock: bool, system: str) -> None:
    one = said(system)
    assert marked(one, model, "5m", on_bedrock=on_bedrock) is one


def test_an_own_caller_s_text_becomes_a_block_with_a_mark() -> None:
    assert members(system=LONG) == {
        "system": [{"type": "text", "text": LONG, "cache_control": MARK}]
    }
    assert members("1h", system=LONG)["system"][0]["cache_control"] == {**MARK, "ttl": "1h"}


def test_blocks_and_tools_are_marked_at_their_end() -> None:
    blocks = [{"type": "text", "text": LONG}, {"type": "text", "text": "b", "x": 1.50}]
    empty = {"type": "text", "text": " "}
    found = members(system=[*blocks, empty], tools=[TOOL, {**TOOL, "name": "g"}])
    assert found["system"] == [blocks[0], {**blocks[1], "cache_control": MARK}, empty]
    assert found["tools"] == [TOOL, {**TOOL, "name": "g", "cache_control": MARK}]


@pytest.mark.parametrize(
    "body",
    [
        {"system": LONG, "messages": [{"cache_control": MARK}]},
        {"system": LONG, "cache_control": MARK},
        {"system": "Be brief."},
        {"system": None, "tools": None},
        {"system": {"text": LONG}},
        {"system": ["x" * 9000]},
        {"system": [{"type": "text", "text": " " * 9000}]},
        {"tools": [{**TOOL, "defer_loading": True}]},
        {"tools": [TOOL, {"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{**TOOL, "type": 5}]},
    ],
)
def test_no_mark_is_put_where_it_could_break_a_request(body: dict[str, Any]) -> None:
    assert members(**body) == {}


def test_a_mark_whose_name_is_escaped_is_the_caller_s_all_the_same() -> None:
    body = b'{"system":"%b","messages":[{"cache\\u005fcontrol":{}}]}' % LONG.encode()
    ask = ask_of(body, DIALECT)
    ask.prefix_ttl = "5m"
    assert marked_members(ask, MODEL) == {}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "text", LONG]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_whatever_stands_there_nothing_else_changes(system: Any, tools: Any) -> None:
    found = members(system=system, tools=tools)
    marks = msgspec.json.encode(found).count(b'"cache_control"')
    assert marks == len(found) <= 2
    for name, before in (("system", system), ("tools", tools)):
        for at, block in enumerate(found.get(name, ())):
            block.pop("cache_control", None)
            if isinstance(before, str):
                assert block == {"type": "text", "text": before}
            else:
                assert block == before[at]


@pytest.mark.parametrize("ttl", ["5m", "1h", None])
def test_anthropic_is_sent_marks_where_the_route_wants_them(ttl: PrefixTtl | None) -> None:
    body = {"model": MODEL, "system": LONG, "messages": []}
    ask = ask_of(body, DIALECT)
    ask.prefix_ttl = ttl
    sent = anthropic.plug.encode(ask, target(MODEL)).body
    assert (b'"cache_control"' in sent) == (ttl is not None)
    if ttl is None:
        assert sent == ask.body
    told = anthropic.plug.encode_conversation(said(), ask, target(MODEL), False).body
    assert (b'"cache_control"' in told) == (ttl is not None)


@pytest.mark.parametrize(
    ("model", "ttl", "point"),
    [
        (ON_BEDROCK, "5m", {"type": "default"}),
        (ON_BEDROCK, "1h", {"type": "default", "ttl": "1h"}),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "1h", {"type": "default"}),
        ("amazon.nova-pro-v1:0", "5m", None),
        ("arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc", "5m", None),
    ],
)
def test_bedrock_is_sent_a_point_behind_the_system_prompt(
    model: str, ttl: PrefixTtl, point: dict[str, str] | None
) -> None:
    ask = ask_of({"messages": []})
    ask.prefix_ttl = ttl
    sent = bedrock.plug.encode_conversation(said(), ask, target(model), False)
    body = msgspec.json.decode(sent.body)
    assert body["system"] == [{"text": LONG}, *([] if point is None else [{"cachePoint": point}])]
    assert sent.dropped == ()
    assert problems(operation("Converse").input_shape, {"modelId": model, **body}) == []
