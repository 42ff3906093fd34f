"""Anthropic's Messages requests in the common middle."""

from typing import Any

import pytest
from anthropic.types import message_create_params as params
from tests.dialects.grammar import ask_of

from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Output,
    Reasoning,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tidegate.core.outcome import Refusal
from tidegate.dialects._anthropic_request import read

MARK = {"type": "ephemeral"}


def said(*messages: Any, **members: Any) -> Conversation:
    return read(ask_of({"model": "m", "max_tokens": 9, "messages": list(messages), **members}))


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def test_instructions_turns_calls_and_results() -> None:
    body = (
        b'{"model":"m","max_tokens":9,"system":[{"type":"text","text":"be brief","cache_control":'
        b'{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":"how high?"},'
        b'{"role":"assistant","content":[{"type":"text","text":"I look","citations":null},{"type":'
        b'"tool_use","id":"t1","name":"tide","input":{"a": 1.50},"caller":{"type":"direct"}}]},'
        b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,'
        b'"content":"4 m"},{"type":"text","text":"well?"}]},{"role":"system","content":"now"}]}'
    )
    told = read(ask_of(body))
    assert told.instructions == [Text("be brief", CacheMark("1h"))]
    assert told.turns == [
        Turn("user", (Text("how high?"),)),
        Turn("assistant", (Text("I look"), ToolCall("t1", "tide", '{"a": 1.50}'))),
        Turn("user", (ToolResult("t1", (Text("4 m"),), True), Text("well?"))),
        Turn("system", (Text("now"),)),
    ]
    assert told.unread == {}
    assert said(system="be").instructions == [Text("be")]


def source(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, **members}


def test_images_and_documents_also_in_results() -> None:
    png = source("base64", media_type="image/png", data="iVBO")
    pdf = source("base64", media_type="application/pdf", data="JVBE")
    parts: list[Any] = [
        {"type": "image", "source": png, "cache_control": MARK},
        {"type": "image", "source": source("url", url="https://x/y.png")},
        {"type": "image", "source": source("file", file_id="f1")},
        {"type": "document", "source": pdf, "title": "t", "context": "c"},
        {"type": "document", "source": source("text", media_type="text/plain", data="plain")},
        {"type": "document", "source": source("url", url="https://x/y.pdf")},
        {"type": "document", "source": source("file", file_id="f2")},
        {"type": "document", "source": source("content", content="a")},
    ]
    expected = (
        Image("iVBO", "image/png", cache=CacheMark()),
        Image(url="https://x/y.png"),
        Image(file_id="f1"),
        Document("JVBE", "application/pdf", title="t", context="c"),
        Document(text="plain", media_type="text/plain"),
        Document(url="https://x/y.pdf"),
        Document(file_id="f2"),
        Document(text="a"),
    )
    result = {"type": "tool_result", "tool_use_id": "t", "content": parts}
    assert said(user(*parts)).turns[0].parts == expected
    assert said(user(result)).turns[0].parts == (ToolResult("t", expected),)


def test_reasoning_comes_back_to_the_byte() -> None:
    content: list[Any] = [
        {"type": "thinking", "thinking": "hm", "signature": "EqQB+/=="},
        {"type": "redacted_thinking", "data": "EmwK+/=="},
        {"type": "thinking", "thinking": "open", "signature": ""},
        {
            "type": "thinking",
            "thinking": "s",
            "signature": "tidegate:openai_responses:sealed:rs_1:gA:A",
        },
        {"type": "redacted_thinking", "data": "tidegate:openai_responses:sealed:rs_2:gB"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
        {"type": "redacted_thinking", "data": "tidegate:gemini:call:t1:c2ln"},
    ]
    assert said({"role": "assistant", "content": content}).turns[0].parts == (
        Reasoning("hm", "EqQB+/==", None, "anthropic"),
        Reasoning("", None, "EmwK+/==", "anthropic"),
        Reasoning("open"),
        Reasoning("s", None, "gA:A", "openai_responses", "rs_1"),
        Reasoning("", None, "gB", "openai_responses", "rs_2"),
        ToolCall("t1", "f", "{}", "c2ln", "gemini"),
    )


def test_how_to_answer() -> None:
    told = read(
        ask_of(
            {
                "messages": [],
                "max_tokens": 50,
                "temperature": 0.5,
                "top_p": 0.9,
                "top_k": 40,
                "stop_sequences": ["A", "B"],
                "metadata": {"user_id": "u"},
                "service_tier": "standard_only",
                "cache_control": MARK,
            },
            stream=True,
            output_ceiling_tokens=50,
        )
    )
    assert (told.temperature, told.top_p, told.top_k, told.stop) == (0.5, 0.9, 40, ["A", "B"])
    assert (told.end_user, told.service_tier, told.cache) == ("u", "standard_only", CacheMark())
    assert (told.ceiling_tokens, told.stream, told.unread) == (50, True, {})


@pytest.mark.parametrize(
    ("choice", "expected", "parallel"),
    [
        ({"type": "auto"}, ToolChoice("auto"), None),
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice("auto"), False),
        ({"type": "any", "disable_parallel_tool_use": False}, ToolChoice("any"), True),
        ({"type": "tool", "name": "f"}, ToolChoice("named", "f"), None),
        ({"type": "none"}, ToolChoice("none"), None),
    ],
)
def test_tools_and_which_of_them(choice: Any, expected: ToolChoice, parallel: bool | None) -> None:
    tool = {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True}
    told = said(tools=[{**tool, "type": "custom", "cache_control": MARK}], tool_choice=choice)
    (found,) = told.tools
    assert found.schema is not None and bytes(found.schema) == b'{"type":"object"}'
    assert (found.name, found.description, found.strict) == ("f", "d", True)
    assert (found.cache, told.tool_choice, told.parallel_tools) == (CacheMark(), expected, parallel)


def test_tools_that_anthropic_runs_itself_are_kept_by_their_name() -> None:
    told = said(tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}])
    assert set(told.unread) == {"tools[0].web_search_20250305", "tools[0].max_uses"}
    assert told.tools == []


SCHEMA = {"type": "json_schema", "schema": {"type": "object"}}


@pytest.mark.parametrize(
    "members", [{"output_config": {"format": SCHEMA}}, {"output_format": SCHEMA}]
)
def test_the_answers_form(members: dict[str, Any]) -> None:
    output = said(**members).output
    assert isinstance(output, Output) and output.schema is not None
    assert (bytes(output.schema), output.strict) == (b'{"type":"object"}', True)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Thinking(True, None, 2000)),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}},
            Thinking(True, None, None, False),
        ),
        ({"thinking": {"type": "disabled"}}, Thinking(False)),
        ({"output_config": {"effort": "max"}}, Thinking(None, "max")),
        (
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
            Thinking(False, "low"),
        ),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            Thinking(True, "low"),
        ),
        ({}, None),
    ],
)
def test_how_much_to_think(members: dict[str, Any], expected: Thinking | None) -> None:
    assert said(**members).thinking == expected


def test_what_the_middle_has_no_word_for_is_kept_by_its_name() -> None:
    plain = {"type": "text", "media_type": "text/plain", "data": "x"}
    found = {"type": "search_result", "source": "x", "title": "t", "content": []}
    told = said(
        user({"type": "document", "source": plain, "citations": {"enabled": True}}, found),
        container="c",
        mcp_servers=[{"type": "url"}],
        context_management={"edits": []},
        inference_geo=None,
    )
    assert set(told.unread) == {
        "document.citations",
        "messages[0].content[1]",
        "container",
        "mcp_servers",
        "context_management",
    }


def test_every_member_of_anthropics_own_api_is_read_or_kept() -> None:
    for name in params.MessageCreateParamsBase.__annotations__:
        if name in ("messages", "model", "max_tokens"):
            continue
        try:
            told = said(**{name: {"x": "y"}})
        except Refusal as no:
            assert no.param is not None and no.param.startswith(name)
        else:
            # A member of a known one that nobody knows is kept as well.
            assert {name, f"{name}.x"} & set(told.unread), name


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [user({"type": "image"})]}, "messages[0].content[0].source"),
        ({"messages": [], "top_k": 1.5}, "top_k"),
        ({"messages": [], "stop_sequences": "END"}, "stop_sequences"),
        ({"messages": [], "tools": [{"description": "d"}]}, "tools[0].name"),
        ({"messages": [], "thinking": {"type": "hard"}}, "thinking.type"),
    ],
)
def test_what_is_wrong_is_named(body: Any, param: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(ask_of(body))
    assert (refused.value.code.status, refused.value.param) == (400, param)
