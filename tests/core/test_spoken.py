"""Events fold into the answer that they are."""

import pytest

from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Refused, Text, ToolCall
from tidegate.core.spoken import (
    FINISH_REASONS,
    Began,
    Choice,
    Ended,
    Event,
    PartBegan,
    PartEnded,
    PartGrew,
    Spoken,
    Used,
    answer_of,
    fold,
    unfold,
)

USAGE = Usage(7, 1, None, 3, None)
WHOLE: list[Event] = [
    Began("id", "model", Usage(7)),
    PartBegan(0, 0, "reasoning", wire="anthropic"),
    PartGrew(0, 0, "text", "hm"),
    PartGrew(0, 0, "text", "m"),
    PartGrew(0, 0, "signature", "c2ln"),
    PartEnded(0, 0),
    PartBegan(0, 1, "text"),
    PartGrew(0, 1, "text", "Hel"),
    PartBegan(0, 2, "tool_call", "call_1", "look"),
    PartGrew(0, 2, "arguments", '{"a"'),
    PartGrew(0, 1, "text", "lo"),
    PartGrew(0, 2, "arguments", ":1}"),
    PartEnded(0, 1),
    PartEnded(0, 2),
    Ended(0, "tool_calls"),
    Used(USAGE),
]


def test_events_fold_into_a_whole_answer() -> None:
    assert fold(WHOLE) == Spoken(
        "id",
        "model",
        USAGE,
        [
            Choice(
                [
                    Reasoning("hmm", "c2ln", None, "anthropic"),
                    Text("Hello"),
                    ToolCall("call_1", "look", '{"a":1}'),
                ],
                "tool_calls",
            )
        ],
    )


def test_choices_and_parts_stand_in_the_order_of_their_indexes() -> None:
    events: list[Event] = [
        Began(),
        PartBegan(1, 0, "refusal"),
        PartGrew(1, 0, "text", "no"),
        PartBegan(0, 0, "text"),
        Ended(1, "refusal"),
        Ended(0, "stop_sequence", "END"),
    ]
    assert fold(events).choices == [
        Choice([Text("")], "stop_sequence", "END"),
        Choice([Refused("no")], "refusal"),
    ]


def test_a_piece_of_no_part_is_left_out() -> None:
    assert fold([PartGrew(3, 4, "text", "x")]) == Spoken()


def test_sealed_reasoning_keeps_what_is_sealed() -> None:
    events: list[Event] = [
        PartBegan(0, 0, "reasoning", wire="openai_responses", id="rs_1"),
        PartGrew(0, 0, "sealed", "gAAA"),
    ]
    (part,) = fold(events).choices[0].parts
    assert part == Reasoning("", None, "gAAA", "openai_responses", "rs_1")


def test_the_input_told_at_the_beginning_holds_until_more_is_told() -> None:
    assert fold([Began(usage=Usage(7))]).usage == Usage(7)
    assert fold([Used(USAGE), Began(usage=Usage(7))]).usage == USAGE


@pytest.mark.parametrize(
    ("usage", "text"), [(USAGE, b""), (None, b'hmmHellolook{"a":1}'), (Usage(conflict=True), None)]
)
def test_a_receipt_keeps_text_only_to_count_it(usage: Usage | None, text: bytes | None) -> None:
    spoken = fold(WHOLE)
    spoken.usage, spoken.service_tier = usage, "flex"
    answer = answer_of(spoken)
    assert answer.service_tier == "flex"
    assert (answer.usage, answer.finish_reason) == (usage, "tool_calls")
    assert (answer.model_served, answer.provider_request_id) == ("model", "id")
    assert answer.text == (b'hmmHellolook{"a":1}' if text is None else text)


def test_an_answer_that_did_not_end_has_no_finish_reason() -> None:
    assert answer_of(fold([Began()])).finish_reason is None


def test_every_reason_has_a_name_on_openais_wire() -> None:
    assert set(FINISH_REASONS.values()) == {"stop", "length", "tool_calls", "content_filter"}


def test_a_whole_answer_tells_what_each_choice_said() -> None:
    assert answer_of(fold(WHOLE)).said[0].content == "Hello"
    [(name, arguments)] = answer_of(fold(WHOLE)).said[0].calls
    assert (name, arguments) == ("look", '{"a":1}')
    refused = fold([Began(), PartBegan(0, 0, "refusal"), PartGrew(0, 0, "text", "no")])
    assert (answer_of(refused).said[0].refused, answer_of(refused).said[0].content) == (True, "")


def test_a_whole_answer_is_told_again_in_events_that_fold_into_it() -> None:
    parts = [Reasoning("why", "sig"), Text("hi"), ToolCall("c", "f", "{}"), Refused("no")]
    whole = Spoken("i", "m", Usage(1), [Choice(parts, "stop"), Choice([Text("")], "length")])
    assert fold(unfold(whole)) == whole
    assert fold(unfold(Spoken())) == Spoken()
