"""Conversations as the body of Cohere's `/v2/chat`."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from tidegate.core.conversation import (
    Conversation,
    Document,
    Image,
    Output,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.core.outcome import Refusal
from tidegate.providers._cohere_request import CohereWriter

USER = Turn("user", (Text("hi"),))
TOOLS = [Tool("f", "does", Raw(b'{"type":"object"}'), True), Tool("g")]
THINKER = "command-a-reasoning-08-2025"


def write(
    said: Conversation, drop: bool = False, model: str = THINKER
) -> tuple[dict[str, Any], list[str]]:
    losses = Losses(said, "cohere", drop=drop)
    told = CohereWriter(said, losses).body(model, None)
    return msgspec.json.decode(msgspec.json.encode(told)), losses.names


def assistant(*parts: Part) -> Any:
    return write(Conversation([Turn("assistant", parts)]))[0]["messages"][0]


def test_a_plain_request_in_its_own_words() -> None:
    said = Conversation(
        [USER],
        instructions=[Text("be brief")],
        ceiling_tokens=9,
        temperature=0.5,
        top_p=1.0,
        top_k=4,
        presence_penalty=0.5,
        stop=["END"],
        seed=7,
    )
    body, dropped = write(said)
    assert body == {
        "model": THINKER,
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hi"},
        ],
        "max_tokens": 9,
        "temperature": 0.5,
        "p": 0.99,
        "k": 4,
        "presence_penalty": 0.5,
        "stop_sequences": ["END"],
        "seed": 7,
    }
    assert dropped == []


def test_tools_and_how_they_are_forced() -> None:
    body, _ = write(Conversation([USER], tools=TOOLS, tool_choice=ToolChoice("any")))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "g"]
    assert body["tools"][1]["function"]["parameters"]["type"] == "object"
    assert (body["tool_choice"], body["strict_tools"]) == ("REQUIRED", True)
    named, _ = write(Conversation([USER], tools=TOOLS, tool_choice=ToolChoice("named", "g")))
    assert [tool["function"]["name"] for tool in named["tools"]] == ["g"]
    assert named["tool_choice"] == "REQUIRED"
    free, _ = write(Conversation([USER], tools=TOOLS, tool_choice=ToolChoice("auto")))
    assert "tool_choice" not in free


def test_a_text_before_calls_is_a_plan() -> None:
    call = ToolCall("c1", "f", "{}")
    assert assistant(Text("I look."), call)["tool_plan"] == "I look."
    assert set(assistant(call)) == {"role", "tool_calls"}
    both = assistant(Reasoning("hm"), Text("I look."), call)
    assert both["content"] == [{"type": "thinking", "thinking": "hm"}]
    assert both["tool_plan"] == "I look."
    assert assistant(Reasoning("hm"), Text("a"))["content"] == [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "a"},
    ]


def test_a_call_without_a_text_is_sent_with_its_result() -> None:
    turns = [Turn("assistant", (ToolCall("c1", "f", "{}"),))]
    turns.append(Turn("user", (ToolResult("c1", (Text("7"),)),)))
    messages = write(Conversation(turns))[0]["messages"]
    assert [message["role"] for message in messages] == ["assistant", "tool"]
    assert messages[1] == {"role": "tool", "tool_call_id": "c1", "content": "7"}


def test_images_have_a_place() -> None:
    part = Image(data="AA==", media_type="image/png")
    body, _ = write(Conversation([Turn("user", (part,))]))
    assert body["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    ]


@pytest.mark.parametrize(
    ("thinking", "told"),
    [
        (Thinking(True, "high"), {"type": "enabled"}),
        (Thinking(True, "low"), {"type": "enabled", "token_budget": 1024}),
        (Thinking(True, None, 500), {"type": "enabled", "token_budget": 500}),
        (Thinking(False), {"type": "disabled"}),
        (Thinking(None, "low"), None),
    ],
)
def test_how_much_to_think(thinking: Thinking, told: object) -> None:
    body, dropped = write(Conversation([USER], thinking=thinking))
    assert (body.get("thinking"), dropped) == (told, [])
    plain, left_out = write(Conversation([USER], thinking=thinking), model="command-r-08-2024")
    assert "thinking" not in plain
    assert left_out == (["thinking"] if thinking.enabled else [])


def test_the_form_of_an_answer() -> None:
    schema = Raw(b'{"type":"object"}')
    body, _ = write(Conversation([USER], output=Output(schema)))
    assert body["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}
    assert write(Conversation([USER], output=Output()))[0]["response_format"] == {
        "type": "json_object"
    }


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (Conversation([USER], choices=2), "choices"),
        (Conversation([USER], parallel_tools=False, tools=TOOLS), "parallel_tools"),
        (Conversation([USER], service_tier="priority"), "service_tier"),
        (Conversation([USER], output=Output(), tools=TOOLS), "output"),
        (Conversation([USER], presence_penalty=-1.0), "presence_penalty"),
        (Conversation([USER], frequency_penalty=1.5), "frequency_penalty"),
        (Conversation([USER], stop=list("abcdef")), "stop"),
        (Conversation([Turn("user", (Text("hi"),), "ann")]), "name"),
        (
            Conversation([Turn("user", (Document(data="AA==", media_type="application/pdf"),))]),
            "file_data",
        ),
        (Conversation([Turn("user", (Document(url="https://e.org"),))]), "url"),
        (Conversation([USER], unread={"logit_bias": Raw(b"{}")}), "logit_bias"),
    ],
)
def test_what_has_no_place_is_refused_by_name_or_left_out(said: Conversation, name: str) -> None:
    with pytest.raises(Refusal) as no:
        write(said)
    assert no.value.param == name
    _, dropped = write(said, drop=True)
    assert dropped == [name]


def test_hints_are_left_out_and_named() -> None:
    said = Conversation([USER], end_user="u", metadata={"a": "b"})
    assert write(said)[1] == ["end_user", "metadata"]
