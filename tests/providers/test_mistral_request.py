"""Conversations as requests in Mistral's shape."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from tests.dialects.grammar import ask_of, target

from tidegate.core.conversation import (
    Conversation,
    Document,
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
from tidegate.providers._mistral_request import ID_CHARS, call_id
from tidegate.providers.mistral import plug


def write(said: Conversation, **ask: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    sent = plug.encode_conversation(said, ask_of({"messages": []}, **ask), target(), False)
    return msgspec.json.decode(sent.body), sent.dropped


def assistant(*parts: Part) -> dict[str, Any]:
    message: dict[str, Any] = write(Conversation([Turn("assistant", parts)]))[0]["messages"][0]
    return message


@given(st.text(max_size=80))
def test_a_call_s_id_is_nine_letters_and_digits(told: str) -> None:
    made = call_id(told)
    assert len(made) == ID_CHARS and made.isascii() and made.isalnum()
    assert call_id(told) == made and call_id(made) == made


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (None, None),
        (Thinking(effort="low"), "high"),
        (Thinking(effort="max"), "high"),
        (Thinking(enabled=True, budget_tokens=1024), "high"),
        (Thinking(enabled=False), None),
    ],
)
def test_it_thinks_hard_or_not_at_all(wanted: Thinking | None, sent: str | None) -> None:
    body, _ = write(Conversation([Turn("user", (Text("hi"),))], thinking=wanted))
    assert body.get("reasoning_effort") == sent


def test_ids_that_are_good_stay() -> None:
    assert call_id("D681PevKs") == "D681PevKs"
    assert call_id("call_1a") != call_id("call_1b")


def test_a_call_and_its_result_find_each_other() -> None:
    call, result = ToolCall("call_1a", "f", "{}"), ToolResult("call_1a", (Text("7"),))
    body, _ = write(Conversation([Turn("assistant", (call,)), Turn("user", (result,))]))
    told, answer = body["messages"]
    assert told["tool_calls"][0]["id"] == answer["tool_call_id"] == call_id("call_1a")


def test_what_was_thought_comes_back_before_the_text() -> None:
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    assert assistant(Reasoning("hm"), Text("a"))["content"] == [
        *thought,
        {"type": "text", "text": "a"},
    ]
    assert assistant(Reasoning("hm"), ToolCall("a", "f", "{}"))["content"] == thought
    signed = Reasoning("hm", "signature", wire="anthropic")
    assert assistant(signed, Text("a"))["content"] == "a"  # nobody else's is shown


def test_what_openai_says_in_other_words() -> None:
    said = Conversation(
        [Turn("user", (Text("hi"),))],
        tools=[Tool("f")],
        tool_choice=ToolChoice("any"),
        seed=7,
        end_user="u",
        metadata={"a": "b"},
        ceiling_tokens=9,
        top_k=3,
    )
    body, dropped = write(said, stream=True)
    assert (body["random_seed"], body["tool_choice"], body["max_tokens"]) == (7, "any", 9)
    assert (body["metadata"], body["top_k"], body["stream"]) == ({"a": "b"}, 3, True)
    assert body["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert dropped == ("end_user",)
    assert not {"stream_options", "user", "seed"} & body.keys()


def test_its_own_members_go_on_as_they_came() -> None:
    said = Conversation(
        [Turn("user", (Text("hi"),))],
        unread={"prompt_mode": Raw(b'"reasoning"'), "safe_prompt": Raw(b"true")},
    )
    body, _ = write(said)
    assert (body["prompt_mode"], body["safe_prompt"]) == ("reasoning", True)


def test_documents() -> None:
    def told(part: Document) -> Any:
        return write(Conversation([Turn("user", (part, Text("?")))]))[0]["messages"][0]["content"]

    data = Document(data="JVBERg==", media_type="application/pdf", title="tides")
    url = "data:application/pdf;base64,JVBERg=="
    assert told(data)[0] == {
        "type": "document_url",
        "document_url": url,
        "document_name": "tides",
    }
    linked = told(Document(url="https://example.org/t.pdf"))[0]
    assert linked == {"type": "document_url", "document_url": "https://example.org/t.pdf"}
    assert told(Document(text="a"))[0] == {"type": "text", "text": "a"}
