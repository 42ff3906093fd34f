"""An answer as a stream of OpenAI's Responses: numbered, each item begun and ended, one end."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter
from tests.dialects.grammar import STAMP, ask_of

from tidegate.core.ask import Usage
from tidegate.core.spoken import (
    Began,
    Ended,
    Event,
    Kind,
    PartBegan,
    PartEnded,
    PartGrew,
    Reason,
    Used,
    fold,
)
from tidegate.dialects._openai_responses_stream import OpenAIResponsesWriter
from tidegate.dialects.openai_responses import plug

ASK = ask_of({"model": "asked-model", "input": "x"}, "openai_responses")
TERMINAL = {"response.completed", "response.incomplete", "response.failed"}
_valid: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def events_of(body: bytes) -> list[dict[str, Any]]:
    """Each event, held against OpenAI's own types."""
    told = body.split(b"\n\n")
    assert told.pop() == b""
    found = []
    for one in told:
        name, data = one.split(b"\n")
        _valid.validate_json(data.removeprefix(b"data: "))
        event = msgspec.json.decode(data.removeprefix(b"data: "))
        assert name == b"event: " + event["type"].encode()
        found.append(event)
    return found


def written(events: list[Event]) -> list[dict[str, Any]]:
    writer = OpenAIResponsesWriter(ASK, STAMP)
    body = b"".join([writer.write([event]) for event in events]) + writer.close()
    told = events_of(body)
    assert writer.sequence == len(told)
    return told


def in_order(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items that the stream has told, as each was told at its end."""
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert [event["type"] for event in told[:2]] == ["response.created", "response.in_progress"]
    assert [event["type"] in TERMINAL for event in told].index(True) == len(told) - 1
    done: dict[int, dict[str, Any]] = {}
    added: list[str] = []
    texts: dict[int, str] = {}
    for event in told[2:-1]:
        index = event["output_index"]
        if event["type"] == "response.output_item.added":
            assert index == len(added)
            added.append(event["item"]["id"])
            continue
        assert index < len(added) and index not in done
        if event["type"] == "response.output_item.done":
            assert event["item"]["id"] == added[index]
            done[index] = event["item"]
            continue
        assert event["item_id"] == added[index]
        if "delta" in event:
            texts[index] = texts.get(index, "") + event["delta"]
        elif event["type"].endswith("arguments.done"):
            assert event["arguments"] == texts.get(index, "")
        elif event["type"].endswith("text.done"):
            assert event["text"] == texts[index]
        elif event["type"] == "response.refusal.done":
            assert event["refusal"] == texts[index]
    items = [done[index] for index in range(len(added))]
    assert told[-1]["response"]["output"] == items
    assert {event["response"]["id"] for event in told if "response" in event} == {"resp_0198c0de"}
    return items


def part(index: int, kind: Kind, *pieces: str, **more: Any) -> list[Event]:
    grown: Any = "arguments" if kind == "tool_call" else "text"
    grew: list[Event] = [PartGrew(0, index, grown, text) for text in pieces]
    return [PartBegan(0, index, kind, **more), *grew, PartEnded(0, index)]


SAID: list[Event] = [
    Began("id", "served", Usage(7, 3)),
    *part(0, "reasoning", "hm", "m", wire="anthropic")[:-1],
    PartGrew(0, 0, "signature", "SIG"),
    PartEnded(0, 0),
    *part(1, "text", "h", "é\n\\"),
    *part(2, "refusal", "no"),
    *part(3, "tool_call", '{"a"', ":1}", call_id="c1", name="f", wire="gemini")[:-1],
    PartGrew(0, 3, "signature", "GSIG"),
    PartEnded(0, 3),
    Ended(0, "tool_calls"),
    Used(Usage(7, 3, None, 2, 5)),
]


def test_every_kind_of_part() -> None:
    told = written(SAID)
    items = in_order(told)
    assert [item["type"] for item in items] == [
        *("reasoning", "message", "message", "function_call", "reasoning")
    ]
    assert [event["type"].removeprefix("response.") for event in told[2:9]] == [
        "output_item.added",
        "reasoning_summary_part.added",
        *["reasoning_summary_text.delta"] * 2,
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    whole = told[-1]["response"]
    assert told[-1]["type"] == "response.completed"
    assert whole["usage"]["output_tokens_details"] == {"reasoning_tokens": 5}
    assert whole["usage"]["total_tokens"] == 17
    assert whole == msgspec.json.decode(plug.whole(ASK, STAMP, fold(SAID)))


@pytest.mark.parametrize("reason", ["length", "context_full"])
def test_the_item_that_was_cut_says_so(reason: Reason) -> None:
    events: list[Event] = [Began(), *part(0, "text", "a"), *part(1, "text", "b"), Ended(0, reason)]
    told = written(events)
    assert [item["status"] for item in in_order(told)] == ["completed", "incomplete"]
    assert told[-1]["type"] == "response.incomplete"
    assert told[-1]["response"] == msgspec.json.decode(plug.whole(ASK, STAMP, fold(events)))


def test_calls_that_overlap() -> None:
    events: list[Event] = [
        Began(),
        PartBegan(0, 0, "tool_call", "c1", "f"),
        PartBegan(0, 1, "tool_call", None, "g"),
        PartGrew(0, 1, "arguments", "{}"),
        PartGrew(0, 0, "arguments", '{"a":1}'),
        PartEnded(0, 0),
        PartEnded(0, 1),
        Ended(0, "tool_calls"),
    ]
    first, second = in_order(written(events))
    assert (first["call_id"], first["arguments"]) == ("c1", '{"a":1}')
    assert (second["call_id"], second["arguments"]) == ("call_0198c0de_1", "{}")


def test_parts_that_say_nothing_are_no_items() -> None:
    told = written([Began(), *part(0, "text"), *part(1, "reasoning"), Ended(0, "stop")])
    assert in_order(told) == []
    assert told[-1]["response"]["usage"] is None


def test_sealed_reasoning_is_an_item_without_a_summary() -> None:
    sealed: list[Event] = [
        PartBegan(0, 0, "reasoning", wire="openai_responses", id='rs_"9'),
        PartGrew(0, 0, "sealed", "AB"),
        PartGrew(0, 0, "sealed", "C="),
        PartEnded(0, 0),
    ]
    [item] = in_order(written([Began(), *sealed, Ended(0, "stop")]))
    told = {"id": 'rs_"9', "type": "reasoning", "summary": [], "encrypted_content": "ABC="}
    assert item == told


def test_an_answer_that_says_nothing_has_its_order_all_the_same() -> None:
    told = written([])
    assert in_order(told) == []
    assert told[-1]["response"]["model"] == "asked-model"


def test_only_the_first_of_several_choices_is_written() -> None:
    other: list[Event] = [PartBegan(1, 0, "text"), PartGrew(1, 0, "text", "x"), PartEnded(1, 0)]
    told = written([Began(), *part(0, "text", "a"), *other, Ended(1, "length"), Ended(0, "stop")])
    assert len(in_order(told)) == 1
    assert told[-1]["type"] == "response.completed"


@given(st.data())
def test_any_parts_in_any_slices_are_in_order(data: st.DataObject) -> None:
    """However the events come together, the bytes are the same, and the items are all told."""
    kinds: list[Kind] = data.draw(
        st.lists(st.sampled_from(("text", "reasoning", "tool_call", "refusal")), max_size=5)
    )
    events: list[Event] = [Began()]
    for index, kind in enumerate(kinds):
        events += part(index, kind, *data.draw(st.lists(st.text(min_size=1), max_size=3)))
    reason: Reason = data.draw(st.sampled_from(("stop", "length", "tool_calls", "refusal")))
    events.append(Ended(0, reason))
    told = written(events)
    in_order(told)
    assert told[-1]["response"] == msgspec.json.decode(plug.whole(ASK, STAMP, fold(events)))
    cut = data.draw(st.integers(0, len(events)))
    writer = OpenAIResponsesWriter(ASK, STAMP)
    body = writer.write(events[:cut]) + writer.write(events[cut:]) + writer.close()
    assert events_of(body) == told
