"""Content in parts, joined to OpenAI's own members."""

from pathlib import Path

import msgspec
import pytest
from tests.dialects.grammar import ask_of, hear

from tidegate.core import plugs
from tidegate.core.conversation import Reasoning, Text, ToolCall
from tidegate.core.spoken import fold
from tidegate.providers._parts import joined

BYTES = Path(__file__).resolve().parents[1] / "bytes"


def message(content: object, name: str = "message") -> bytes:
    return msgspec.json.encode({"choices": [{name: {"content": content}}]})


@pytest.mark.parametrize("name", ["message", "delta"])
@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab", None),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}], None, "t"),
        ([{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "a"}], "a", "t"),
        ([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}]}], None, "s"),
        ([{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}], "a", None),
        ([], None, None),
        ([None, 7, {"type": "text", "text": {}}], None, None),
    ],
)
def test_parts_become_members(
    name: str, content: object, text: str | None, thought: str | None
) -> None:
    found = msgspec.json.decode(joined(message(content, name)))["choices"][0][name]
    assert found["content"] == text and found.get("reasoning_content") == thought


@pytest.mark.parametrize(
    "payload",
    [
        message("plain"),
        b'{"choices":[],"content":[',
        b'{"choices":[{"delta":{"content":[1e999]}}]}',
        b"[DONE]",
        b"",
    ],
)
def test_what_has_none_stays_the_bytes_that_came(payload: bytes) -> None:
    assert joined(payload) == payload


@pytest.mark.parametrize(
    "whole", [b'{"content":[]}', b'[{"content":[]}]', b'{"choices":7,"content":[1]}']
)
def test_parts_of_no_message_are_left_alone(whole: bytes) -> None:
    assert msgspec.json.decode(joined(whole)) == msgspec.json.decode(whole)


def test_a_stream_and_a_whole_answer_say_the_same() -> None:
    plug = plugs.load("providers", "mistral")
    ask = ask_of({"messages": []}, stream=True)
    streamed = fold(hear(plug.spoken_reader(ask), [(BYTES / "mistral/thinking.sse").read_bytes()]))
    whole = plug.read_spoken(ask, (BYTES / "mistral/thinking.json").read_bytes())
    assert streamed == whole
    parts = whole.choices[0].parts
    assert parts[:2] == [Reasoning("Two tools are needed."), Text("I look it up.")]
    assert [part.name for part in parts if isinstance(part, ToolCall)] == ["tide", "now"]


def test_an_event_that_is_too_long_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.text.sse.MAX_EVENT_BYTES", 50)
    reader = plugs.load("providers", "mistral").spoken_reader(ask_of({"messages": []}, stream=True))
    reader.feed(b"data: " + b"x" * 60)
    assert reader.failure is not None and reader.failure.kind == "malformed"
