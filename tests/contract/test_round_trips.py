"""A conversation written in a wire and read again by that wire's dialect is what it was."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw, structs
from tests.dialects.grammar import ask_of, target

from tidegate.core import plugs
from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Output,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tidegate.core.plugs import Dialect, Provider

SAID = st.text(min_size=1, max_size=20)
MARKS = st.none() | st.builds(CacheMark, ttl=st.sampled_from([None, "5m", "1h"]))
BASE64 = st.sampled_from(["iVBORw0KGgo=", "JVBERi0xLjc+/w=="])
URLS = st.sampled_from(["https://x/y", "http://x/ä?q=1"])
IDS = st.from_regex(r"\A[a-zA-Z0-9_-]{1,20}\Z")
SCHEMAS = st.sampled_from(
    [Raw(b'{"type":"object","x":1.50}'), Raw(b'{"type": "object", "properties": {}}')]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=3).map(
    lambda told: msgspec.json.format(msgspec.json.encode(told), indent=1).decode()
)


class Wire(msgspec.Struct):
    """What a wire carries: whether cache marks, and Anthropic's reasoning, have a place in it."""

    provider: str
    dialect: str
    marks: Any
    thoughts: Any
    documents: Any


SIGNED = st.builds(Reasoning, text=SAID, signature=BASE64, wire=st.just("anthropic"))
SEALED = st.builds(Reasoning, sealed=BASE64, wire=st.just("anthropic"))
PDF = st.just("application/pdf")
WIRES = [
    Wire(
        "anthropic",
        "anthropic_messages",
        MARKS,
        st.lists(SIGNED | SEALED, max_size=2),
        st.builds(
            Document,
            data=BASE64,
            media_type=PDF,
            title=st.none() | SAID,
            context=st.none() | SAID,
            cache=MARKS,
        )
        | st.builds(Document, text=SAID, media_type=st.just("text/plain"), title=st.none() | SAID)
        | st.builds(Document, url=URLS),
    ),
    Wire(
        "vllm",
        "openai_chat",
        st.none(),
        st.lists(st.builds(Reasoning, text=SAID), max_size=1),
        st.builds(Document, data=BASE64, media_type=PDF, title=SAID),
    ),
]


def turns(wire: Wire) -> Any:
    """User, assistant and the results of its calls, several times over."""
    texts = st.builds(Text, text=SAID, cache=wire.marks)
    media_type = st.sampled_from(["image/png", "image/jpeg"])
    images = st.builds(Image, data=BASE64, media_type=media_type, cache=wire.marks)
    images |= st.builds(Image, url=URLS, cache=wire.marks)
    content = st.lists(texts | images | wire.documents, min_size=1, max_size=3).map(tuple)
    calls = st.builds(ToolCall, id=IDS, name=IDS, arguments=ARGUMENTS, cache=wire.marks)

    @st.composite
    def exchange(draw: Any) -> list[Turn]:
        called = draw(st.lists(calls, max_size=2))
        answer = (*draw(wire.thoughts), *draw(st.lists(texts, max_size=1)), *called)
        found = [Turn("user", draw(content))]
        if answer:
            found.append(Turn("assistant", answer))
        if called:
            told = (draw(texts),)
            found.append(Turn("user", tuple(ToolResult(call.id, told) for call in called)))
        return found

    return st.lists(exchange(), min_size=1, max_size=3).map(
        lambda found: [turn for one in found for turn in one]
    )


@st.composite
def conversations(draw: Any, wire: Wire) -> Conversation:
    said = Conversation(draw(turns(wire)))
    said.instructions = draw(st.lists(st.builds(Text, text=SAID, cache=wire.marks), max_size=2))
    tools = st.builds(
        Tool,
        name=IDS,
        description=st.none() | SAID,
        schema=SCHEMAS,
        strict=st.none() | st.booleans(),
        cache=wire.marks,
    )
    said.tools = draw(st.lists(tools, max_size=2))
    if said.tools:
        modes = st.sampled_from([ToolChoice("auto"), ToolChoice("any"), ToolChoice("named", "f")])
        said.tool_choice = draw(modes)
        said.parallel_tools = draw(st.sampled_from([None, False]))
    said.output = draw(st.none() | st.builds(Output, schema=SCHEMAS, strict=st.just(True)))
    said.ceiling_tokens = draw(st.integers(1, 10**6))
    said.temperature = draw(st.none() | st.floats(0, 1))
    said.top_p = draw(st.none() | st.floats(0, 1))
    said.top_k = draw(st.none() | st.integers(1, 100))
    said.stop = draw(st.lists(SAID, max_size=3))
    said.end_user = draw(st.none() | SAID)
    said.stream = draw(st.booleans())
    said.thinking = draw(st.sampled_from([None, Thinking(True, "high")]))
    if said.tool_choice is not None and said.tool_choice.mode != "auto":
        said.thinking = None
    return said


def told_less(said: Conversation) -> None:
    """Takes out what Claude does not take together, or not at all."""
    said.stop = [one for one in said.stop if one.strip()]
    if said.thinking is not None:
        said.temperature = said.top_p = said.top_k = None
    if said.temperature is not None or said.top_p == 1:
        said.top_p = None


def without_names(said: Conversation) -> Conversation:
    """A form has no name in Anthropic's wire, and must have one in OpenAI's."""
    output = said.output and structs.replace(said.output, name=None)
    return structs.replace(said, names={}, output=output)


@settings(max_examples=25)
@given(data=st.data())
@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.provider)
def test_a_conversation_comes_back_as_it_was(wire: Wire, data: st.DataObject) -> None:
    said = data.draw(conversations(wire))
    if wire.provider == "anthropic":
        told_less(said)
    provider: Provider = plugs.load("providers", wire.provider)
    dialect: Dialect = plugs.load("dialects", wire.dialect)
    ask = ask_of({"messages": []}, stream=said.stream)
    sent = provider.encode_conversation(said, ask, target("claude-opus-4-6"), False)
    assert sent.dropped == ()
    again = ask_of(
        sent.body,
        wire.dialect,
        stream=said.stream,
        output_ceiling_tokens=said.ceiling_tokens,
    )
    heard = dialect.read(again)
    assert heard.unread == {}
    assert without_names(heard) == without_names(said)
