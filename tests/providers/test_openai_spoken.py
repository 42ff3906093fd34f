"""OpenAI's chunks in the common middle: what belongs to which part, and how it ends."""

from typing import Any

import msgspec
import pytest
from tests.dialects.grammar import ask_of, hear, in_order
from tests.providers.streams import DONE, choice, sent, usage

from tidegate.core import plugs
from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Refused, Text, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.spoken import (
    Began,
    Choice,
    Ended,
    Event,
    PartBegan,
    Spoken,
    Used,
    answer_of,
    fold,
)
from tidegate.providers._openai_spoken import OpenAISpokenReader
from tidegate.providers._openai_wire import REASONS

PLUG = plugs.load("providers", "openai_compatible")


def heard(*stream: bytes, **asked: Any) -> tuple[list[Event], OpenAISpokenReader]:
    reader = PLUG.spoken_reader(ask_of({"messages": []}, stream=True, **asked))
    events = hear(reader, stream)
    in_order(events, whole=reader.finished)
    return events, reader


def said(*stream: bytes, finish: str = "stop") -> list[Any]:
    events, reader = heard(*stream, choice(finish=finish), DONE)
    assert reader.finished
    return fold(events).choices[0].parts


def call(index: int | None = 0, **members: Any) -> bytes:
    told = {} if index is None else {"index": index}
    function = {name: members.pop(name) for name in ("name", "arguments") if name in members}
    return choice(tool_calls=[{**told, **members, "function": function}])


def test_text_of_one_kind_is_one_part_and_of_another_the_next() -> None:
    parts = said(
        choice(role="assistant", content=""),
        choice(reasoning_content="h"),
        choice(reasoning="m"),
        choice(content="Hel"),
        choice(content="lo"),
        choice(refusal="no"),
        choice(content="again"),
    )
    assert parts == [Reasoning("hm"), Text("Hello"), Refused("no"), Text("again")]


def test_calls_by_index_may_overlap() -> None:
    parts = said(
        choice(content="I look"),
        call(0, id="a", name="f", arguments=""),
        call(1, id="b", name="g", arguments='{"x"'),
        call(0, arguments='{"y": 1.50}'),
        call(1, arguments=":2}"),
        finish="tool_calls",
    )
    assert parts == [
        Text("I look"),
        ToolCall("a", "f", '{"y": 1.50}'),
        ToolCall("b", "g", '{"x":2}'),
    ]


def test_text_between_the_pieces_of_a_call_is_a_part_of_its_own() -> None:
    parts = said(
        call(0, id="a", name="f", arguments='{"x"'), choice(content="so"), call(0, arguments=":1}")
    )
    assert parts == [ToolCall("a", "f", '{"x":1}'), Text("so")]


@pytest.mark.parametrize("index", [0, None])
def test_calls_that_an_engine_does_not_number_are_told_apart_by_their_ids(
    index: int | None,
) -> None:
    parts = said(
        call(index, id="a", name="f", arguments='{"x"'),
        call(index, arguments=":1}"),
        call(index, id="b", name="g", arguments="{}"),
    )
    assert parts == [ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", "{}")]


def test_a_call_without_arguments_has_an_empty_object_and_an_object_is_written_out() -> None:
    parts = said(call(0, id="a", name="f"), call(1, id="b", name="g", arguments={"x": 1}))
    assert parts == [ToolCall("a", "f", "{}"), ToolCall("b", "g", '{"x":1}')]


def test_choices_are_kept_apart() -> None:
    stream = [choice(1, content="b"), choice(0, content="a"), choice(1, content="c")]
    events, reader = heard(*stream, choice(1, "length"), choice(0, "stop"), DONE, choices=2)
    assert reader.finished
    assert fold(events).choices == [Choice([Text("a")], "stop"), Choice([Text("bc")], "length")]


def test_what_comes_after_a_choice_has_ended_is_no_part_of_it() -> None:
    events, reader = heard(
        choice(content="a"), choice(finish="stop"), choice(content="b", finish="length"), DONE
    )
    assert reader.finished and fold(events).choices == [Choice([Text("a")], "stop")]


def test_usage_is_told_as_it_is_known_and_the_model_at_the_beginning() -> None:
    told = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    events, _ = heard(choice(content="a"), choice(finish="stop"), usage(told), DONE)
    assert [event for event in events if isinstance(event, Used)] == [Used(Usage(9, None, None, 2))]
    assert (fold(events).id, fold(events).model) == ("c", "served")


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 1}, Usage(9)),
        ({"prompt_tokens": 0, "completion_tokens": 1}, None),
        ("x", None),
        (None, None),
    ],
)
def test_the_input_is_known_at_the_beginning_where_the_first_chunk_tells_it(
    told: Any, known: Usage | None
) -> None:
    one = {"index": 0, "delta": {"content": "a"}}
    first = sent({"id": "c", "model": "served", "choices": [one], "usage": told})
    events, _ = heard(first, choice(finish="stop"), DONE)
    assert events[0] == Began("c", "served", known)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("model_length", "context_full"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "refusal"),
    ],
)
def test_finish_reasons(word: str, reason: str) -> None:
    assert REASONS[word] == reason


def test_a_reason_that_nobody_knows_is_no_guess() -> None:
    events, reader = heard(choice(content="a"), choice(finish="abort"), DONE)
    assert reader.failure is not None and reader.failure.kind == "interrupted"
    assert not reader.finished and not any(isinstance(event, Ended) for event in events)
    assert reader.feed(DONE) == [] and reader.end() == []


def test_vllms_stop_sequence() -> None:
    one = {"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "END"}
    events, _ = heard(choice(content="a"), sent({"choices": [one]}), DONE)
    assert Ended(0, "stop_sequence", "END") in events
    token = sent({"choices": [{**one, "stop_reason": 128_009}]})
    assert Ended(0, "stop") in heard(choice(content="a"), token, DONE)[0]


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (choice(content="a"), "interrupted"),
        (b"data: {\n\n", "malformed"),
        (choice(tool_calls="x"), "malformed"),
        (choice(tool_calls=[{"index": "0"}]), "malformed"),
        (sent({"error": {"code": 429}}), "rate_limited"),
    ],
)
def test_how_a_stream_fails(stream: bytes, kind: str) -> None:
    _, reader = heard(choice(content="b"), stream)
    assert reader.failure is not None and reader.failure.kind == kind
    assert not reader.finished


@pytest.mark.parametrize(("index", "choices"), [(1, 1), (7, 1), (2, 2)])
def test_a_choice_that_nobody_asked_for_is_malformed(index: int, choices: int) -> None:
    """Its callers' wires would tell of an answer with nothing in it."""
    events, reader = heard(choice(index, content="x"), choice(index, "stop"), DONE, choices=choices)
    assert reader.failure is not None and reader.failure.kind == "malformed"
    assert fold(events).choices == []


def test_what_was_told_before_it_fails_is_known_in_any_slicing() -> None:
    """Of usage as of all else: what came before the failure, and nothing of what came after it."""
    told = usage({"prompt_tokens": 3, "completion_tokens": 1})
    late = usage({"prompt_tokens": 9, "completion_tokens": 9})
    stream = [choice(content="x"), told, choice(tool_calls=[True]), late]
    for parts in ([b"".join(stream)], stream):
        reader = OpenAISpokenReader(plugs.load("providers", "openai").chunks(ask_of({})))
        events = [event for part in parts for event in reader.feed(part)]
        assert reader.failure is not None and reader.failure.kind == "malformed"
        assert [one for one in events if isinstance(one, Used)] == [Used(Usage(3, None, None, 1))]


def test_the_closing_mark_may_be_missing() -> None:
    events, reader = heard(choice(content="a"), choice(finish="stop")[:-2])
    assert reader.finished and fold(events).choices == [Choice([Text("a")], "stop")]


def test_a_call_has_a_part_from_its_first_piece() -> None:
    reader = PLUG.spoken_reader(ask_of({"messages": []}, stream=True))
    events = reader.feed(call(0, id="a", name="f"))
    assert PartBegan(0, 0, "tool_call", "a", "f") in events


def test_the_class_of_service_is_told() -> None:
    told = sent({"choices": [], "service_tier": "priority"})
    assert heard(choice(content="a"), told, choice(finish="stop"), DONE)[1].service_tier == (
        "priority"
    )
    answered = {"message": {"content": "a"}, "finish_reason": "stop"}
    assert whole(answered, service_tier="flex").service_tier == "flex"


def whole(*choices: Any, **more: Any) -> Spoken:
    told = {"id": "i", "model": "served", "choices": list(choices), **more}
    return PLUG.read_spoken(ask_of({"messages": []}), msgspec.json.encode(told))


def test_a_whole_answer() -> None:
    calls = [{"id": "a", "function": {"name": "f", "arguments": '{"x": 1.50}'}}, {"id": "b"}]
    message = {"reasoning": "hm", "content": "Hello", "refusal": "no", "tool_calls": calls}
    told = {"prompt_tokens": 9, "completion_tokens": 2}
    second = {"index": 1, "message": {"content": "b"}, "finish_reason": "length"}
    first = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    assert whole(second, first, usage=told) == Spoken(
        "i",
        "served",
        Usage(9, None, None, 2),
        [
            Choice(
                [
                    Reasoning("hm"),
                    Text("Hello"),
                    Refused("no"),
                    ToolCall("a", "f", '{"x": 1.50}'),
                    ToolCall("b", "", "{}"),
                ],
                "tool_calls",
            ),
            Choice([Text("b")], "length"),
        ],
    )


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        ({"message": {"content": "a"}, "finish_reason": None}, "interrupted"),
        ({"message": {"content": "a"}, "finish_reason": "abort"}, "interrupted"),
        ({"message": {"content": 5}, "finish_reason": "stop"}, "malformed"),
    ],
)
def test_a_whole_answer_that_is_none(one: Any, kind: str) -> None:
    with pytest.raises(Failure) as failed:
        whole(one)
    assert failed.value.kind == kind


def test_a_call_that_was_forced_by_its_name_just_stops_and_is_a_call_all_the_same() -> None:
    """As OpenAI and vLLM tell it."""
    events, _ = heard(call(0, id="a", name="f", arguments="{}"), choice(finish="stop"), DONE)
    assert fold(events).choices[0].reason == "tool_calls"
    function = {"name": "f", "arguments": "{}"}
    message = {"role": "assistant", "tool_calls": [{"id": "a", "function": function}]}
    body = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    spoken = PLUG.read_spoken(ask_of({"messages": []}), msgspec.json.encode(body))
    assert spoken.choices[0].reason == "tool_calls"
    body["choices"][0]["finish_reason"] = "length"
    spoken = PLUG.read_spoken(ask_of({"messages": []}), msgspec.json.encode(body))
    assert spoken.choices[0].reason == "length"


def test_the_build_is_told_across_too() -> None:
    told: dict[str, Any] = {"model": "m", "system_fingerprint": "fp_1", "choices": []}
    _, reader = heard(sent(told), choice(content="x"))
    assert reader.model_fingerprint == "fp_1"
    told["choices"] = [{"message": {"content": "x"}, "finish_reason": "stop"}]
    body = msgspec.json.encode(told)
    whole = PLUG.read_spoken(ask_of({"messages": []}), body)
    assert answer_of(whole).model_fingerprint == "fp_1"
