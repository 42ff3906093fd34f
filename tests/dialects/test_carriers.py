"""Reasoning comes back as it was, and only to whom it belongs."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.conversation import Reasoning, ToolCall, Wire
from tidegate.dialects._carriers import Detail, call_details, details, from_details, mark, unmark

WIRES: list[Any] = ["anthropic", "openai_responses", "gemini"]
TEXT = st.text(max_size=30)


@given(
    reasoning=st.builds(
        Reasoning,
        text=TEXT,
        signature=st.none() | st.text(min_size=1, max_size=20),
        sealed=st.none() | TEXT,
        wire=st.sampled_from(WIRES),
        id=st.none() | st.just("rs_1"),
    )
)
def test_reasoning_details_bring_reasoning_back_as_it_was(reasoning: Reasoning) -> None:
    sent = msgspec.json.encode([details(reasoning, 0)])
    assert from_details(msgspec.json.decode(sent, type=list[Detail]), []) == [reasoning]


@pytest.mark.parametrize("wire", WIRES)
def test_what_signs_a_call_comes_back_to_the_call(wire: Wire) -> None:
    calls = [ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}")]
    sent = msgspec.json.encode([call_details("b", "c2ln", wire, 3)])
    assert from_details(msgspec.json.decode(sent, type=list[Detail]), calls) == []
    assert calls == [ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}", "c2ln", wire)]


def test_openrouters_summary_is_read() -> None:
    told = [Detail("reasoning.summary", summary="short", format="openai-responses-v1")]
    assert from_details(told, []) == [Reasoning("short", None, None, "openai_responses")]


def test_reasoning_of_an_unknown_wire_belongs_to_none() -> None:
    told = [Detail("reasoning.text", text="hm", signature="s", format="xai-responses-v1")]
    assert from_details(told, []) == [Reasoning("hm", "s", None, None)]


@given(wire=st.sampled_from(WIRES), name=st.none() | st.just("call:1"), payload=TEXT)
def test_a_mark_tells_whose_it_is(wire: Wire, name: str | None, payload: str) -> None:
    marked = mark(wire, "sealed", name and name.replace(":", "_"), payload)
    if wire == "anthropic":
        assert marked == payload  # to the byte: their own
    else:
        assert unmark(marked) == (wire, "sealed", name and "call_1", payload)


@pytest.mark.parametrize("text", ["EqQBCgIY/+==", "tidegate:nobody:call:x:y", "tidegate:gemini"])
def test_what_is_not_marked_is_anthropics_own(text: str) -> None:
    assert unmark(text) == ("anthropic", "", None, text)


def test_no_signature_is_nobodys() -> None:
    assert unmark("") == (None, "", None, "")
