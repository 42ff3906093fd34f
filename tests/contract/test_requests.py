"""Every provider plug, requests: whatever a caller says is a request of that wire or a refusal by
name, with nothing of the caller's in its path or its headers but what belongs there."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw, structs
from tests.contract.test_round_trips import WIRES, conversations
from tests.dialects.grammar import ask_of, target
from tests.providers import family

from tidegate.core import plugs
from tidegate.core.conversation import Conversation, ToolCall, ToolResult, Turn
from tidegate.core.outcome import Refusal
from tidegate.core.plugs import Provider

# Control characters, quotes, ids of no wire, other alphabets.
STRANGE = st.sampled_from(["", "a\r\nx-evil: 1", '"}],"x":', "ä" * 300, "call_1", "\x00", "../.."])
NUMBERS = st.sampled_from([None, -2.0, 0.0, 0.5, 1.0, 2.0])
UNREAD = st.dictionaries(
    st.sampled_from(["logit_bias", "safe_prompt", "x\r\ny", "random_seed", "audio"]),
    st.sampled_from([Raw(b"true"), Raw(b'{"a":[1e3]}'), Raw(b'"\\u0000"')]),
    max_size=2,
)


@st.composite
def said(draw: Any) -> Conversation:
    conversation: Conversation = draw(conversations(draw(st.sampled_from(WIRES))))
    name = draw(STRANGE)

    def renamed(turn: Turn) -> Turn:
        parts: list[Any] = []
        for part in turn.parts:
            if isinstance(part, ToolCall) and name:
                parts.append(structs.replace(part, id=name, arguments=draw(STRANGE)))
            elif isinstance(part, ToolResult) and name:
                parts.append(structs.replace(part, call_id=name))
            else:
                parts.append(part)
        own = name if turn.role == "user" and draw(st.booleans()) else None
        return Turn(turn.role, tuple(parts), own)

    conversation.turns = [renamed(turn) for turn in conversation.turns]
    conversation.presence_penalty = draw(NUMBERS)
    conversation.choices = draw(st.integers(1, 3))
    conversation.seed = draw(st.none() | st.integers(-(2**63), 2**63 - 1))
    conversation.metadata = draw(st.dictionaries(STRANGE, STRANGE, max_size=2))
    conversation.unread = draw(UNREAD)
    return conversation


CODECS = ("mistral", "cohere", "databricks", "deepseek", "sglang", "groq", "zai", "dashscope")
CODECS += ("any_llm",)
# Vertex's plug for each publisher.
OF_VERTEX = ("gemini-3.8-flash", "claude-sonnet-4-6", "mistral-small-2503", "meta/llama-3.3")


@settings(max_examples=60)
@given(said=said(), drop=st.booleans(), stream=st.booleans())
def test_whatever_is_said_is_a_request_or_a_refusal_by_name(
    said: Conversation, drop: bool, stream: bool
) -> None:
    ask = ask_of({"messages": []}, "anthropic_messages", stream=stream, output_bound_tokens=7)
    for name in CODECS:
        provider: Provider = plugs.load("providers", name)
        try:
            sent = provider.encode_conversation(said, ask, target(), drop)
        except Refusal as no:
            assert no.code.status == 400 and no.param
            assert "\r" not in no.param and "\n" not in no.param
            continue
        body = msgspec.json.decode(sent.body)
        assert (body["model"], 7 in body.values()) == ("their-model", True)
        assert sent.path in (b"/chat/completions", b"/chat") and sent.headers == ()
        assert all(one.isascii() and one.isprintable() for one in sent.dropped)


@settings(max_examples=40)
@given(said=said(), drop=st.booleans(), stream=st.booleans(), model=st.sampled_from(OF_VERTEX))
def test_whatever_is_said_to_a_publisher_of_vertex_s(
    said: Conversation, drop: bool, stream: bool, model: str
) -> None:
    ask = ask_of({"messages": []}, "openai_responses", stream=stream, output_bound_tokens=7)
    provider = plugs.provider_of("vertex", model)
    try:
        sent = provider.encode_conversation(said, ask, structs.replace(target(), model=model), drop)
    except Refusal as no:
        assert no.code.status == 400 and no.param and no.param.isprintable()
        return
    assert isinstance(msgspec.json.decode(sent.body), dict)
    assert sent.path.isascii() and sent.path.decode().isprintable()
    for name, value in sent.headers:
        assert name.isprintable() and value.isprintable()


def test_the_new_codecs_are_among_them() -> None:
    assert {"mistral", "cohere", "databricks", "groq", "sglang"} <= {*CODECS} & {*family.CODECS}


@pytest.mark.parametrize("model", OF_VERTEX)
def test_a_model_s_name_writes_nothing_into_a_path_of_vertex_s(model: str) -> None:
    provider = plugs.provider_of("vertex", model)
    strange = structs.replace(target(), model=model + "\r\nx-evil: 1 /../?#")
    ask = ask_of({"messages": []})
    sent = provider.encode_conversation(Conversation([]), ask, strange, True)
    assert sent.path.isascii() and not {*b"\r\n #"} & {*sent.path}
    assert all(value.isprintable() for header in sent.headers for value in header)


@pytest.mark.parametrize("name", ["mistral", "cohere", "any_llm"])
def test_a_model_s_name_stands_in_the_body_alone(name: str) -> None:
    provider: Provider = plugs.load("providers", name)
    strange = structs.replace(target(), model="a\r\nx-evil: 1")
    sent = provider.encode_conversation(Conversation([]), ask_of({"messages": []}), strange, False)
    assert b"\r" not in sent.path and b"evil" not in sent.path and sent.headers == ()
    assert msgspec.json.decode(sent.body)["model"] == "a\r\nx-evil: 1"
