"""Conversations as requests in OpenAI's chat shape."""

from typing import Any

import pytest
from msgspec import Raw
from tests.providers.openai_asked import SCHEMA, USER, messages, user, write

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
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tidegate.core.outcome import Refusal
from tidegate.providers._manners import Manners


def test_a_plain_request() -> None:
    said = Conversation([USER], [Text("be"), Text("kind")], ceiling_tokens=50, temperature=0.5)
    said.top_p, said.top_k, said.stop, said.end_user, said.seed = 0.9, 40, ["A"], "u", 7
    said.choices, said.presence_penalty, said.frequency_penalty = 2, 0.1, 0.2
    assert write(said) == (
        {
            "model": "their-model",
            "messages": [
                {
                    "role": "system",
                    "content": [{"type": "text", "text": "be"}, {"type": "text", "text": "kind"}],
                },
                {"role": "user", "content": "hi"},
            ],
            "max_tokens": 50,
            "temperature": 0.5,
            "top_p": 0.9,
            "presence_penalty": 0.1,
            "frequency_penalty": 0.2,
            "stop": ["A"],
            "seed": 7,
            "n": 2,
            "user": "u",
            "top_k": 40,
        },
        [],
    )


def test_the_ceiling_is_ours_or_the_callers_under_the_targets_name_of_it() -> None:
    said = Conversation([USER], ceiling_tokens=50)
    assert write(said, Manners("max_completion_tokens"))[0]["max_completion_tokens"] == 50
    assert write(said, bound=20)[0]["max_tokens"] == 20
    assert "max_tokens" not in write(Conversation([USER]))[0]


def test_results_of_tools_are_messages_of_their_own_before_what_is_said() -> None:
    image = Image("iVBO", "image/png")
    turn = Turn(
        "user",
        (
            ToolResult("t1", (Text("4 m"),)),
            ToolResult("t2", (Text("a"), image, Text("b"))),
            ToolResult("t3"),
            Text("well?"),
        ),
    )
    url = {"url": "data:image/png;base64,iVBO"}
    assert messages(turn) == [
        {"role": "tool", "tool_call_id": "t1", "content": "4 m"},
        {
            "role": "tool",
            "tool_call_id": "t2",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
        {"role": "tool", "tool_call_id": "t3", "content": ""},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": url},
                {"type": "text", "text": "well?"},
            ],
        },
    ]


def test_an_error_of_a_tool_is_told_by_its_text_alone() -> None:
    said = Conversation([Turn("user", (ToolResult("t", (Text("boom"),), True),))])
    body, names = write(said)
    assert (body["messages"][0]["content"], names) == ("boom", ["is_error"])


def test_images_and_documents() -> None:
    pdf = {"file_data": "data:application/pdf;base64,JVBE", "filename": "t"}
    assert user(
        Image(url="https://x/y.png", detail="low"),
        Document("JVBE", "application/pdf", title="t"),
        Document(text="plain", title="t", context="c"),
    )[0]["content"] == [
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "file", "file": pdf},
        {"type": "text", "text": "t\n\nc\n\nplain"},
    ]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Image(file_id="f"), "file_id"),
        (Document(file_id="f"), "file_id"),
        (Document(url="https://x"), "url"),
        (Document("JVBE", "application/pdf", context="c"), "context"),
    ],
)
def test_what_cannot_be_carried(part: Any, name: str) -> None:
    said = Conversation([Turn("user", (part, Text("a")))])
    with pytest.raises(Refusal) as refused:
        write(said)
    assert refused.value.param == name
    assert write(said, drop=True)[1] == [name]


def test_what_an_assistant_said() -> None:
    call = ToolCall("t1", "f", '{"a": 1.50')  # cut by a ceiling: it is text here
    said = Turn("assistant", (Reasoning("h"), Reasoning("m"), call))
    expected = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.50'}}
        ],
    }
    assert messages(said) == [{**expected, "reasoning_content": "hm"}]
    assert messages(said, manners=Manners()) == [expected]
    assert write(Conversation([said]), Manners())[1] == ["reasoning"]
    assert messages(Turn("assistant", (Text("a"), Refused("no"))))[0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "no"},
    ]
    assert messages(USER, Turn("system", (Text("now"),)))[1] == {"role": "system", "content": "now"}


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning("other", "s", None, "anthropic"),
        Reasoning("other", None, None, "gemini"),
        Reasoning("other", None, "sealed", "openai_responses", "rs_1"),
        Reasoning("other", "s"),
        Reasoning("other", None, "sealed"),
    ],
)
def test_nobody_else_is_shown_what_a_model_thought(thought: Reasoning) -> None:
    turn = Turn("assistant", (thought, Reasoning("own"), Text("a")))
    body, names = write(Conversation([turn]))
    assert body["messages"] == [{"role": "assistant", "content": "a", "reasoning_content": "own"}]
    assert names == ["reasoning"]


def test_a_turn_of_which_nothing_can_be_carried_is_left_out() -> None:
    turn = Turn("assistant", (Reasoning("cut", "s", None, "anthropic"),))
    assert messages(USER, turn, USER) == [{"role": "user", "content": "hi"}] * 2


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("any"), "required"),
        (ToolChoice("named", "f"), {"type": "function", "function": {"name": "f"}}),
        (None, None),
    ],
)
def test_tools_and_which_of_them(choice: ToolChoice | None, expected: Any) -> None:
    said = Conversation([USER], tools=[Tool("f", "d", SCHEMA, True), Tool("g")])
    said.tool_choice, said.parallel_tools = choice, False
    body, _ = write(said)
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
    assert [tool["function"] for tool in body["tools"]] == [function, {"name": "g"}]
    assert (body.get("tool_choice"), body["parallel_tool_calls"]) == (expected, False)


def test_the_answers_form() -> None:
    schema = {"name": "answer", "schema": {"type": "object"}, "strict": True}
    body, _ = write(Conversation([USER], output=Output(SCHEMA, strict=True)))
    assert body["response_format"] == {"type": "json_schema", "json_schema": schema}
    named = {"name": "n", "schema": {"type": "object"}, "description": "d"}
    body, _ = write(Conversation([USER], output=Output(SCHEMA, "n", "d")))
    assert body["response_format"]["json_schema"] == named
    body, _ = write(Conversation([USER], output=Output()))
    assert body["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("wanted", "effort"),
    [
        (Thinking(True, "high"), "high"),
        (Thinking(True, "max"), "xhigh"),
        (Thinking(None, "low"), "low"),
        (Thinking(True, None, 2_048), "low"),
        (Thinking(True, None, 8_192), "medium"),
        (Thinking(True, None, 30_000), "high"),
        (Thinking(True), None),
        (Thinking(False), None),
        (None, None),
    ],
)
def test_how_much_to_think(wanted: Thinking | None, effort: str | None) -> None:
    said = Conversation([USER], thinking=wanted)
    body, names = write(said)
    left_out = ["thinking"] if wanted is not None and wanted.enabled is False else []
    assert (body.get("reasoning_effort"), names) == (effort, left_out)
    body, names = write(said, Manners(effort=False))
    assert "reasoning_effort" not in body
    assert names == (["thinking"] if wanted is not None and wanted.enabled is not False else [])


def test_cache_marks_change_no_answer() -> None:
    for said in (
        Conversation([Turn("user", (Text("a", CacheMark()),))]),
        Conversation([USER], tools=[Tool("f", cache=CacheMark())]),
        Conversation([USER], [Text("s", CacheMark("1h"))]),
        Conversation([USER], cache=CacheMark()),
        Conversation([Turn("user", (ToolResult("t", cache=CacheMark()),))]),
    ):
        assert write(said)[1] == ["cache"]


def test_what_has_no_place_is_refused_or_left_out_and_named() -> None:
    said = Conversation([USER], top_k=5, unread={"container": Raw(b'"c"')})
    with pytest.raises(Refusal) as refused:
        write(said, Manners())
    assert refused.value.param == "top_k"
    body, names = write(said, Manners(), drop=True)
    assert names == ["top_k", "container"]
    assert body == write(Conversation([USER]))[0]
