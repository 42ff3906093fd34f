"""Items of OpenAI's Responses as turns."""

from typing import Any

import pytest
from tests.dialects.grammar import STAMP, ask_of

from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refused,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from tidegate.core.outcome import Refusal
from tidegate.core.spoken import Choice, SpokenPart
from tidegate.dialects._openai_responses_answer import items_of
from tidegate.dialects._openai_responses_request import read

PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="


def said(*items: Any) -> Conversation:
    return read(ask_of({"model": "m", "input": list(items), "store": False}, "openai_responses"))


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def call(id: str, /, **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": id, "name": "f", "arguments": '{"a": 1.50}', **more}


def output(id: str, told: Any = "4 m") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id, "output": told}


def reasoning(**members: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [], **members}


def refused(*items: Any) -> tuple[str, str | None]:
    with pytest.raises(Refusal) as no:
        said(*items)
    return no.value.code.name, no.value.param


def test_turns_are_put_together() -> None:
    answer = {"type": "output_text", "text": "so", "annotations": [], "logprobs": []}
    told = said(
        {"role": "developer", "content": "be brief"},
        {"type": "message", "role": "user", "content": "how high?"},
        reasoning(encrypted_content="SEALED=="),
        {"role": "assistant", "id": "msg_1", "status": "completed", "content": [answer]},
        call("c1", id="fc_1", status="completed"),
        call("c2"),
        output("c1"),
        output("c2", [{"type": "input_text", "text": "5 m"}]),
        {"role": "system", "content": "now answer"},
        {"role": "user", "content": "well?"},
        {"role": "user", "content": "please"},
    )
    assert told.instructions == [Text("be brief")]
    arguments = '{"a": 1.50}'
    assert told.turns == [
        Turn("user", (Text("how high?"),)),
        Turn(
            "assistant",
            (
                Reasoning("", None, "SEALED==", "openai_responses", "rs_1"),
                Text("so"),
                ToolCall("c1", "f", arguments),
                ToolCall("c2", "f", arguments),
            ),
        ),
        Turn("user", (ToolResult("c1", (Text("4 m"),)), ToolResult("c2", (Text("5 m"),)))),
        Turn("system", (Text("now answer"),)),
        Turn("user", (Text("well?"),)),
        Turn("user", (Text("please"),)),
    ]


def test_images_and_documents() -> None:
    mark = {"mode": "explicit", "ttl": "30m"}
    [turn] = said(
        user(
            {"type": "input_image", "image_url": PNG, "detail": "low"},
            {"type": "input_image", "image_url": "https://x/y.png", "detail": "auto"},
            {"type": "input_image", "file_id": "file-1", "detail": "auto"},
            {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
            {"type": "input_file", "file_data": "JVBERi0="},
            {"type": "input_file", "file_url": "https://x/a.pdf"},
            {"type": "input_file", "file_id": "file-2"},
            {"type": "input_text", "text": "see?", "prompt_cache_breakpoint": mark},
        )
    ).turns
    assert turn.parts == (
        Image("iVBORw0KGgo=", "image/png", detail="low"),
        Image(url="https://x/y.png"),
        Image(file_id="file-1"),
        Document("JVBERi0=", "application/pdf", title="a.pdf"),
        Document("JVBERi0=", "application/pdf"),
        Document(url="https://x/a.pdf"),
        Document(file_id="file-2"),
        Text("see?", CacheMark()),
    )


def test_a_tool_may_answer_with_an_image() -> None:
    told = said(output("c1", [{"type": "input_image", "image_url": PNG}]))
    assert told.turns == [Turn("user", (ToolResult("c1", (Image("iVBORw0KGgo=", "image/png"),)),))]


def test_reasoning_that_anybody_may_read() -> None:
    summary = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    content = [{"type": "reasoning_text", "text": "c"}]
    [turn] = said(reasoning(summary=summary, content=content)).turns
    assert turn.parts == (Reasoning("a\n\nb\n\nc", id="rs_1"),)


PARTS: list[list[SpokenPart]] = [
    [Text("hi")],
    [Refused("no")],
    [Reasoning("thought", "SIG/+==", None, "anthropic"), Text("so")],
    [Reasoning("", None, "SEALED:x", "anthropic"), ToolCall("c1", "f", '{"a":1.0}')],
    [ToolCall("c1", "f", "{}", "GSIG", "gemini"), ToolCall("c2", "f", "{}")],
    [Reasoning("", None, "OWN==", "openai_responses", "rs_9"), Text("so")],
    [Reasoning("only shown")],
]


@pytest.mark.parametrize("parts", PARTS)
def test_what_we_wrote_comes_back_as_it_was(parts: list[SpokenPart]) -> None:
    items = items_of(Choice(list(parts), "stop"), STAMP)
    [turn] = said(*items).turns
    back: list[Part] = []
    for part, was in zip(turn.parts, parts, strict=True):
        if isinstance(part, Reasoning) and isinstance(was, Reasoning) and was.id is None:
            # Without a name of its own it has had one of ours.
            assert part.id in (None, "rs_0198c0de_0")
            back.append(Reasoning(part.text, part.signature, part.sealed, part.wire))
        else:
            back.append(part)
    assert turn.role == "assistant" and back == parts


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        ({"type": "item_reference", "id": "msg_1"}, "unsupported_parameter", "input[0]"),
        ({"role": "user"}, "missing_parameter", "input[0].content"),
        ({"content": "x"}, "missing_parameter", "input[0].role"),
        ({"type": "function_call", "name": "f"}, "missing_parameter", "input[0].call_id"),
        ({"type": "function_call_output", "call_id": "c"}, "missing_parameter", "input[0].output"),
        ({"type": "function_call_output"}, "missing_parameter", "input[0].call_id"),
        (user({"type": "input_image"}), "missing_parameter", "input[0].content[0].image_url"),
        (user({"type": "input_file"}), "missing_parameter", "input[0].content[0].file_data"),
        (
            user({"type": "input_image", "image_url": "data:image/png,x"}),
            "invalid_parameter",
            "input[0].content[0]",
        ),
        (
            user({"type": "reasoning_text", "text": "x"}),
            "invalid_parameter",
            "input[0].content[0]",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(item: Any, code: str, param: str) -> None:
    assert refused(item) == (code, param)


def test_what_the_middle_has_no_word_for() -> None:
    searched = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    told = said(user({"type": "input_audio", "x": 1}), searched, call("c", odd=1))
    assert set(told.unread) == {"input[0].content[0]", "input[1]", "input[2].odd"}
