"""An answer as Anthropic's stream: one order, whatever the order in which it came."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.grammar import STAMP, ask_of

from tidegate.core.ask import Usage
from tidegate.core.spoken import (
    Began,
    Ended,
    Event,
    PartBegan,
    PartEnded,
    PartGrew,
    Reason,
    Used,
)
from tidegate.dialects._anthropic_stream import AnthropicWriter, is_object, usage_members

END = ["message_delta", "message_stop"]


def events_of(body: bytes) -> list[dict[str, Any]]:
    told = body.split(b"\n\n")
    assert told.pop() == b""
    found = []
    for one in told:
        name, data = one.split(b"\n")
        event = msgspec.json.decode(data.removeprefix(b"data: "))
        assert name == b"event: " + event["type"].encode()
        found.append(event)
    return found


def written(events: list[Event]) -> list[dict[str, Any]]:
    writer = AnthropicWriter(ask_of({"messages": []}), STAMP)
    return events_of(b"".join([writer.write([event]) for event in events]) + writer.close())


def blocks(events: list[Event]) -> list[tuple[Any, ...]]:
    """Each block's start with the deltas that follow; the order is checked on the way."""
    told = written([Began(), *events])
    assert [told[0]["type"], *(event["type"] for event in told[-2:])] == ["message_start", *END]
    found: list[tuple[Any, ...]] = []
    is_open = False
    for event in told[1:-2]:
        if event["type"] == "content_block_start":
            assert not is_open and event["index"] == len(found)
            found.append((event["content_block"],))
            is_open = True
            continue
        assert is_open and event["index"] == len(found) - 1
        if event["type"] == "content_block_stop":
            is_open = False
        else:
            found[-1] = (*found[-1], event["delta"])
    assert not is_open
    return found


def test_a_text() -> None:
    events: list[Event] = [
        Began("id", "m", Usage(7, 3)),
        PartBegan(0, 0, "text"),
        PartGrew(0, 0, "text", "é\n"),
        PartEnded(0, 0),
        Ended(0, "stop"),
        Used(Usage(7, 3, 1, 2, 5)),
    ]
    start, *_, delta, stop = written(events)
    message = start["message"]
    assert (message["id"], message["model"], message["role"]) == ("id", "m", "assistant")
    assert message["usage"] == {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 0}
    assert delta["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert delta["usage"] == {
        "input_tokens": 7,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 1,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 5},
    }
    assert stop == {"type": "message_stop"}
    assert blocks(events[1:5]) == [
        ({"type": "text", "text": ""}, {"type": "text_delta", "text": "é\n"})
    ]


def test_an_answer_without_a_name_gets_ours() -> None:
    message = written([])[0]["message"]
    assert (message["id"], message["model"]) == ("msg_0198c0de", "asked-model")


def grew(index: int, text: str) -> PartGrew:
    return PartGrew(0, index, "arguments", text)


def call(index: int) -> PartBegan:
    return PartBegan(0, index, "tool_call", f"c{index}", "f")


def json_delta(text: str) -> dict[str, str]:
    return {"type": "input_json_delta", "partial_json": text}


def start(index: int) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"c{index}", "name": "f", "input": {}}


def test_calls_one_after_the_other_are_shown_at_once() -> None:
    writer = AnthropicWriter(ask_of({"messages": []}), STAMP)
    writer.write([Began(), call(0)])
    assert b'"partial_json":"{}"' in writer.write([grew(0, "{}")])
    shown = writer.write([call(1)])
    assert b"content_block_stop" in shown and b'"id":"c1"' in shown
    assert b'"partial_json"' in writer.write([grew(1, '{"x"')])


def test_calls_that_overlap_come_one_after_the_other() -> None:
    events: list[Event] = [
        call(0),
        grew(0, '{"a"'),
        call(1),
        grew(1, '{"b"'),
        grew(0, ":1}"),
        call(2),
        grew(1, ":2}"),
        grew(2, "{}"),
        *(PartEnded(0, index) for index in range(3)),
        Ended(0, "tool_calls"),
    ]
    assert blocks(events) == [
        (start(0), json_delta('{"a"'), json_delta(":1}")),
        (start(1), json_delta('{"b"'), json_delta(":2}")),
        (start(2), json_delta("{}")),
    ]


@given(st.permutations([(0, '{"a"'), (0, ":1}"), (1, "{}"), (2, '{"b":'), (2, "2}")]))
def test_any_order_of_pieces_is_one_order(order: list[tuple[int, str]]) -> None:
    """Each call keeps its own pieces in the order in which they came."""
    events: list[Event] = [call(0), call(1), call(2)]
    events += [grew(index, text) for index, text in order]
    events.append(Ended(0, "tool_calls"))
    assert blocks(events) == [
        (start(index), *(json_delta(text) for place, text in order if place == index))
        for index in range(3)
    ]


def test_reasoning_is_signed_sealed_or_open() -> None:
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    events: list[Event] = [
        PartBegan(0, 0, "reasoning", wire="anthropic"),
        PartGrew(0, 0, "text", "hm"),
        PartGrew(0, 0, "signature", "s+"),
        PartGrew(0, 0, "signature", "/="),
        PartEnded(0, 0),
        PartBegan(0, 1, "reasoning", wire="anthropic"),
        PartGrew(0, 1, "sealed", "XY"),
        PartEnded(0, 1),
        PartBegan(0, 2, "reasoning", wire="anthropic"),
        PartGrew(0, 2, "signature", "alone"),
        PartEnded(0, 2),
        PartBegan(0, 3, "reasoning", wire="openai_responses", id="rs"),
        PartGrew(0, 3, "text", "sum"),
        PartGrew(0, 3, "sealed", "Z"),
        PartEnded(0, 3),
        PartBegan(0, 4, "reasoning"),
        PartGrew(0, 4, "text", "open"),
        PartEnded(0, 4),
        PartBegan(0, 5, "reasoning"),
        PartEnded(0, 5),
    ]
    foreign = "tidegate:openai_responses:sealed:rs:Z"
    assert blocks(events) == [
        (
            thinking,
            {"type": "thinking_delta", "thinking": "hm"},
            {"type": "signature_delta", "signature": "s+/="},
        ),
        ({"type": "redacted_thinking", "data": "XY"},),
        (thinking, {"type": "signature_delta", "signature": "alone"}),
        (
            thinking,
            {"type": "thinking_delta", "thinking": "sum"},
            {"type": "signature_delta", "signature": foreign},
        ),
        (thinking, {"type": "thinking_delta", "thinking": "open"}),
    ]


def test_what_signs_a_call_follows_it() -> None:
    events: list[Event] = [
        PartBegan(0, 0, "tool_call", None, "f", wire="gemini"),
        PartGrew(0, 0, "signature", "c2ln"),
        grew(0, "{}"),
        PartEnded(0, 0),
    ]
    made = {**start(0), "id": "toolu_0198c0de_0"}
    data = "tidegate:gemini:call:toolu_0198c0de_0:c2ln"
    assert blocks(events) == [
        (made, json_delta("{}")),
        ({"type": "redacted_thinking", "data": data},),
    ]


def test_only_the_first_choice_and_nothing_empty_is_shown() -> None:
    events: list[Event] = [
        PartBegan(0, 0, "text"),
        PartBegan(1, 0, "text"),
        PartGrew(1, 0, "text", "other"),
        PartEnded(0, 0),
        PartGrew(0, 0, "text", "late"),
        PartGrew(0, 9, "text", "of nothing"),
        Ended(1, "length"),
    ]
    assert blocks(events) == []


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "end_turn"),
        ("stop_sequence", "stop_sequence"),
        ("length", "max_tokens"),
        ("context_full", "model_context_window_exceeded"),
        ("tool_calls", "tool_use"),
        ("refusal", "refusal"),
        ("pause", "pause_turn"),
    ],
)
def test_stop_reasons(reason: Reason, word: str) -> None:
    delta = written([Began(), Ended(0, reason, "END")])[-2]["delta"]
    assert delta == {"stop_reason": word, "stop_sequence": "END"}


def test_what_was_known_at_the_beginning_holds_to_the_end() -> None:
    delta = written([Began(usage=Usage(7, 3)), Ended(0, "stop")])[-2]
    assert delta["usage"] == {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 0}


@pytest.mark.parametrize("usage", [None, Usage(conflict=True), Usage()])
def test_usage_that_nobody_knows(usage: Usage | None) -> None:
    assert usage_members(usage) == {"output_tokens": 0}


@pytest.mark.parametrize("text", ["", " ", "[]", '{"a":', '{"a":1}{"b":2}', "null", "{" * 9999])
def test_what_is_no_object(text: str) -> None:
    assert not is_object(text)
    assert is_object('{"a": [1e3]} ')


def test_very_many_parts_at_once_are_written_in_linear_time_and_depth() -> None:
    """A hostile provider's: thousands that overlap, and one that looks whole again and again."""
    events: list[Event] = [call(0)]
    for index in range(1, 3_000):
        events += [grew(0, '"}'), call(index)]
    events += [PartEnded(0, index) for index in reversed(range(3_000))]
    found = blocks([*events, Ended(0, "tool_calls")])
    assert len(found) == 3_000 and len(found[0]) == 3_000
