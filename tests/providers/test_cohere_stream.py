"""Cohere's streams and whole answers; any cut and any wrong value are tried in tests/contract/."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.dialects.grammar import ask_of, hear
from tests.providers.streams import DONE, sent

from tidegate.core.conversation import Reasoning, Text, ToolCall
from tidegate.core.spoken import fold
from tidegate.providers._cohere_stream import CohereReader, read_whole

BYTES = Path(__file__).resolve().parents[1] / "bytes/cohere"


def reader() -> CohereReader:
    return CohereReader(ask_of({"messages": []}, stream=True))


@pytest.mark.parametrize("name", ["chat", "tools"])
def test_a_stream_and_a_whole_answer_say_the_same(name: str) -> None:
    streamed = fold(hear(reader(), [(BYTES / f"{name}.sse").read_bytes()]))
    assert streamed == read_whole((BYTES / f"{name}.json").read_bytes())


def test_what_was_thought_planned_and_called() -> None:
    chat = read_whole((BYTES / "chat.json").read_bytes()).choices[0]
    assert chat.parts == [Reasoning("Brief is good."), Text("Grüße 🌊")]
    tools = read_whole((BYTES / "tools.json").read_bytes()).choices[0]
    assert (tools.parts[0], tools.reason) == (Text("I will look it up."), "tool_calls")
    calls = [part for part in tools.parts if isinstance(part, ToolCall)]
    assert [(one.id, one.arguments) for one in calls] == [
        ("tide_1a", '{"city": "Oslo"}'),
        ("now_2b", "{}"),
    ]


def told(kind: str, **delta: Any) -> bytes:
    return sent({"type": kind, "index": 0, "delta": delta})


END = told("message-end", finish_reason="COMPLETE")


@pytest.mark.parametrize(
    "event",
    [
        told("content-delta", message={"content": [{"text": "a"}]}),
        told("tool-call-start", message={"tool_calls": []}),
        told("tool-call-delta", message={"tool_calls": {"function": {"arguments": "x"}}}),
        sent({"message": "boom"}),
        sent([]),
        b"data: x\n\n",
    ],
)
def test_an_event_that_is_none_of_its_api_is_malformed(event: bytes) -> None:
    one = reader()
    one.feed(event + END)
    assert one.failure is not None and one.failure.kind == "malformed" and not one.finished


def test_events_that_nobody_knows_are_passed_over() -> None:
    one = reader()
    one.feed(told("debug") + b": keep\n\n" + told("tool-reference") + END + DONE)
    assert (one.finished, one.surplus_events, one.ended_twice) == (True, 0, False)
    one.feed(DONE)
    assert (one.surplus_events, one.ended_twice) == (1, True)


def test_an_end_without_its_blank_line_is_one_and_none_is_half_way() -> None:
    one = reader()
    hear(one, [told("content-delta", message={"content": {"text": "a"}}) + END.rstrip()])
    assert one.finished
    cut = reader()
    hear(cut, [END[:-12]])
    assert cut.failure is not None and cut.failure.kind == "interrupted"


def test_no_output_beside_content_is_not_believed() -> None:
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 0}}
    answer = {"message": {"content": [{"type": "text", "text": "a"}]}, "finish_reason": "COMPLETE"}
    spoken = read_whole(msgspec.json.encode({**answer, "usage": usage}))
    assert spoken.usage is not None and spoken.usage.conflict
