"""OpenAI's chat requests in the common middle."""

from typing import Any

import openai.types.chat.completion_create_params as params
import pytest
from tests.dialects.grammar import ask_of

from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Output,
    Reasoning,
    Refused,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tidegate.core.outcome import Refusal
from tidegate.dialects._openai_chat_request import read

PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
CALL = {"id": "c1", "type": "function", "function": {"name": "tide", "arguments": '{"a": 1.50}'}}


def said(*messages: Any, **members: Any) -> Conversation:
    return read(ask_of({"model": "m", "messages": list(messages), **members}))


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def assistant(**members: Any) -> dict[str, Any]:
    return {"role": "assistant", **members}


def test_instructions_turns_calls_and_results() -> None:
    told = said(
        {"role": "system", "content": "be brief"},
        {"role": "developer", "content": [{"type": "text", "text": "and kind"}]},
        user("how high?", name="ann"),
        assistant(content="", tool_calls=[CALL, {**CALL, "id": "c2", "index": 1}]),
        {"role": "tool", "tool_call_id": "c1", "content": "4 m"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "5 m"}]},
        {"role": "system", "content": "now answer"},
        user("well?"),
    )
    assert told.instructions == [Text("be brief"), Text("and kind")]
    assert told.turns == [
        Turn("user", (Text("how high?"),), "ann"),
        Turn(
            "assistant",
            (
                Text(""),
                ToolCall("c1", "tide", '{"a": 1.50}'),
                ToolCall("c2", "tide", '{"a": 1.50}'),
            ),
        ),
        Turn("user", (ToolResult("c1", (Text("4 m"),)), ToolResult("c2", (Text("5 m"),)))),
        Turn("system", (Text("now answer"),)),
        Turn("user", (Text("well?"),)),
    ]


def test_images_and_documents() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "auto"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    assert said(user(parts)).turns[0].parts == (
        Image("iVBORw0KGgo=", "image/png", detail="low"),
        Image(url="https://x/y.png"),
        Document("JVBERi0=", "application/pdf", title="a.pdf"),
        Document(file_id="file-1"),
    )


def test_cache_marks_stand_on_parts_or_on_the_last_of_a_message() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    texts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    told = said(
        {"role": "system", "content": "s", "cache_control": {"type": "ephemeral"}},
        user([{**texts[0], "cache_control": mark}, texts[1]]),
        user(texts, cache_control=mark),
    )
    assert told.instructions == [Text("s", CacheMark())]
    assert told.turns[0].parts == (Text("a", CacheMark("1h")), Text("b"))
    assert told.turns[1].parts == (Text("a"), Text("b", CacheMark("1h")))


@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"reasoning_content": "hm"}, Reasoning("hm")),
        ({"reasoning": "hm"}, Reasoning("hm")),
        (
            {"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s+/="}]},
            Reasoning("hm", "s+/=", None, "anthropic"),
        ),
        (
            {"thinking_blocks": [{"type": "redacted_thinking", "data": "d"}]},
            Reasoning("", None, "d", "anthropic"),
        ),
        (
            {
                "reasoning_content": "hm",
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "text": "hm",
                        "signature": "s+/=",
                        "format": "anthropic-claude-v1",
                        "index": 0,
                    }
                ],
            },
            Reasoning("hm", "s+/=", None, "anthropic"),
        ),
        ({"refusal": "no"}, Refused("no")),
    ],
)
def test_what_an_assistant_thought_or_refused(members: dict[str, Any], part: Any) -> None:
    assert said(assistant(content=None, **members)).turns[0].parts == (part,)


def test_what_answers_hold_besides_is_nothing() -> None:
    message = assistant(content="a", refusal=None, annotations=[], audio=None, function_call=None)
    told = said({**message, "tool_calls": None})
    assert (told.turns[0].parts, told.unread) == ((Text("a"),), {})


def test_how_to_answer() -> None:
    ask = ask_of(
        {
            "messages": [],
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 40,
            "seed": 7,
            "stop": "END",
            "user": "u",
            "metadata": {"a": "b"},
            "service_tier": "flex",
            "presence_penalty": 0,
            "frequency_penalty": 0.5,
            "parallel_tool_calls": False,
            "n": 3,
        },
        stream=True,
        choices=3,
        output_ceiling_tokens=99,
    )
    told = read(ask)
    assert (told.temperature, told.top_p, told.top_k, told.seed) == (0.5, 0.9, 40, 7)
    assert (told.stop, told.end_user, told.metadata) == (["END"], "u", {"a": "b"})
    assert (told.service_tier, told.presence_penalty, told.frequency_penalty) == ("flex", None, 0.5)
    assert (told.parallel_tools, told.choices, told.ceiling_tokens) == (False, 3, 99)
    assert told.stream and told.unread == {}


FUNCTION = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("any")),
        (FUNCTION, ToolChoice("named", "f")),
        (None, None),
    ],
)
def test_tools_and_which_of_them(choice: Any, expected: ToolChoice | None) -> None:
    schema = {"type": "object", "properties": {}}
    function = {"name": "f", "description": "d", "parameters": schema, "strict": True}
    tools = [{"type": "function", "function": function}, FUNCTION]
    told = said(tools=tools, tool_choice=choice)
    first, second = told.tools
    assert (first.name, first.description, first.strict) == ("f", "d", True)
    assert first.schema is not None
    assert bytes(first.schema) == b'{"type":"object","properties":{}}'
    assert (second.schema, told.tool_choice) == (None, expected)


def test_the_answers_form() -> None:
    assert said(response_format={"type": "text"}).output is None
    assert said(response_format={"type": "json_object"}).output == Output()
    schema = {"name": "n", "schema": {"type": "object"}, "strict": True}
    output = said(response_format={"type": "json_schema", "json_schema": schema}).output
    assert output is not None and output.schema is not None
    assert (output.name, output.strict, bytes(output.schema)) == ("n", True, b'{"type":"object"}')


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"reasoning_effort": "high"}, Thinking(True, "high")),
        ({"reasoning_effort": "none"}, Thinking(False)),
        ({"reasoning": {"effort": "low", "exclude": True}}, Thinking(True, "low", None, False)),
        ({"reasoning": {"max_tokens": 2000}}, Thinking(True, None, 2000)),
        ({"reasoning": {"enabled": True}}, Thinking(True)),
        ({"reasoning": {"enabled": False}}, Thinking(False)),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Thinking(True, None, 2000)),
        ({"thinking": {"type": "disabled"}}, Thinking(False)),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}, "reasoning_effort": "low"},
            Thinking(True, "low", 2000),
        ),
        ({"thinking": {"type": "adaptive"}, "reasoning_effort": "none"}, Thinking(True)),
        ({}, None),
    ],
)
def test_how_much_to_think(members: dict[str, Any], expected: Thinking | None) -> None:
    assert said(**members).thinking == expected


def test_what_the_middle_has_no_word_for_is_kept_by_its_name() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}
    told = said(
        user([{"type": "text", "text": "a"}, audio]),
        logprobs=True,
        logit_bias={"1": 2},
        store=False,
        modalities=["text"],
        tools=[{"type": "custom", "custom": {"name": "c"}}],
    )
    assert set(told.unread) == {"logprobs", "logit_bias", "messages[0].content[1]", "tools[0]"}
    assert told.turns[0].parts == (Text("a"),)


def test_every_member_of_openais_own_api_is_read_or_kept() -> None:
    """None is lost unseen: those the middle has no word for are in `unread`."""
    values: dict[str, Any] = {"logprobs": True, "max_tokens": 5, "model": "m", "stream": True}
    known = set(read(ask_of({"messages": []})).names.values())
    for name in params.CompletionCreateParamsBase.__annotations__:
        if name in ("messages", "model"):
            continue
        try:
            told = said(**{name: values.get(name, {"x": "y"})})
        except Refusal as no:
            assert no.param is not None and no.param.startswith(name)
        else:
            fields = (name in told.unread, name in known, name in values, name == "metadata")
            assert any(fields) or name in ("stream_options", "n"), name


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": "x"}, "messages"),
        ({"messages": [{"role": "nobody", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [user([{"type": "image_url"}])]}, "messages[0].content[0].image_url"),
        ({"messages": [], "temperature": "warm"}, "temperature"),
        ({"messages": [], "seed": 1.5}, "seed"),
        ({"messages": [], "tool_choice": "perhaps"}, "tool_choice"),
        ({"messages": [], "reasoning_effort": "huge"}, "reasoning_effort"),
        (
            {"messages": [user([{"type": "image_url", "image_url": {"url": "data:,x"}}])]},
            "messages",
        ),
    ],
)
def test_what_is_wrong_is_named(body: Any, param: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(ask_of(body))
    assert refused.value.code.status == 400
    assert refused.value.param == param
