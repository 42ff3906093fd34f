"""Gemini's answers become the same events, however they are cut, and whatever they say."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.providers.gemini_streams import BYTES, STREAMS, event, follow, said, stream
from tests.providers.streams import asked

from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Text, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.spoken import (
    Began,
    Choice,
    Ended,
    PartBegan,
    PartEnded,
    PartGrew,
    Spoken,
    Used,
    fold,
)
from tidegate.providers._gemini_stream import read_whole
from tidegate.providers._gemini_wire import REASONS

SIGNATURE = "CiQBVKhc7oGx+9Qk/2h3b0T1ZyQ7mJm8w0eR5uXnD4kP6sLq1AoKIQFUqFzuAA=="
THOUGHT = "**Looking up**\n\nTwo tools are needed."


def test_text_is_one_part_and_the_usage_grows() -> None:
    events, reader = stream("chat")
    assert reader.failure is None
    before = Usage(186, 1024, None, 1, 31)
    assert events == [
        Began("kZ0hadC2Jq-xmtkPx4Wq8AE", "gemini-2.5-flash", before),
        Used(before),
        PartBegan(0, 0, "text"),
        PartGrew(0, 0, "text", "Hello"),
        Used(Usage(186, 1024, None, 5, 31)),
        PartGrew(0, 0, "text", ", “world”"),
        Used(Usage(186, 1024, None, 6, 31)),
        PartGrew(0, 0, "text", "!"),
        PartEnded(0, 0),
        Ended(0, "stop"),
    ]


def test_thoughts_and_parallel_calls_with_the_signature_of_the_first() -> None:
    events, _ = stream("tools")
    assert fold(events) == Spoken(
        "kZ0hadC2Jq-xmtkPx4Wq8AE",
        "gemini-3-pro-preview",
        Usage(83, 0, None, 29, 104),
        [
            Choice(
                [
                    Reasoning(THOUGHT, wire="gemini"),
                    ToolCall(
                        "fc_7h2k",
                        "weather",
                        '{"city":"Zürich","days":2}',
                        SIGNATURE,
                        "gemini",
                    ),
                    ToolCall("fc_7h2l", "time", "{}", wire="gemini"),
                ],
                "tool_calls",
            )
        ],
    )


@pytest.mark.parametrize("name", ["chat", "tools"])
def test_a_whole_answer_is_what_its_stream_comes_to(name: str) -> None:
    whole = read_whole(asked(), (BYTES / f"{name}.json").read_bytes())
    assert whole == fold(stream(name)[0])


def test_the_signature_of_a_text_is_kept_beside_it() -> None:
    parts = fold(stream("signed")[0]).choices[0].parts
    signature = "CmkBcsjafNf/3kqO0aZ+Vt1pL5sXyQ2bWc8eRg=="
    assert parts == [Text("Four apples."), Reasoning("", signature, None, "gemini")]


def test_a_signed_thought_ends_with_its_signature() -> None:
    events, _ = follow(
        event({"text": "hm", "thought": True}),
        event({"text": "m", "thought": True, "thoughtSignature": "c2ln"}),
        event({"text": "so", "thought": True}, {"text": "4"}, reason="STOP"),
    )
    assert fold(events).choices[0].parts == [
        Reasoning("hmm", "c2ln", None, "gemini"),
        Reasoning("so", None, None, "gemini"),
        Text("4"),
    ]


def test_a_signature_that_is_no_thoughts_own_stands_alone() -> None:
    events, _ = follow(
        event({"text": "hm", "thought": True}),
        event({"text": "", "thoughtSignature": "c2ln"}, reason="STOP"),
    )
    assert fold(events).choices[0].parts == [
        Reasoning("hm", wire="gemini"),
        Reasoning("", "c2ln", None, "gemini"),
    ]


def test_a_call_ends_the_text_before_it_and_usage_is_told_when_it_changes() -> None:
    told = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    call = {"functionCall": {"id": "c", "name": "f", "args": {}}}
    events, _ = follow(
        event({"text": "a"}, usageMetadata=told), event(call, reason="STOP", usageMetadata=told)
    )
    usage = Usage(3, 0, None, 2)
    assert events == [
        Began(usage=usage),
        Used(usage),
        PartBegan(0, 0, "text"),
        PartGrew(0, 0, "text", "a"),
        PartEnded(0, 0),
        PartBegan(0, 1, "tool_call", "c", "f", "gemini"),
        PartGrew(0, 1, "arguments", "{}"),
        PartEnded(0, 1),
        Ended(0, "tool_calls"),
    ]


def test_thoughts_alone_are_no_output() -> None:
    told = {"promptTokenCount": 3, "thoughtsTokenCount": 4, "totalTokenCount": 7}
    thought = {"text": "hm", "thought": True}
    events, _ = follow(event(thought, reason="MAX_TOKENS", usageMetadata=told))
    assert fold(events).usage == Usage(3, 0, None, 0, 4)


def test_candidates_come_mixed_and_end_each_in_its_own_way() -> None:
    events, reader = stream("choices")
    assert fold(events).choices == [
        Choice([Text("Heads it is")], "stop"),
        Choice([Text("Tails, then")], "length"),
    ]
    assert fold(events).usage == Usage(9, 0, None, 7)
    # Before the end nobody counts what was written: it is unknown, not 0.
    assert next(one.usage for one in events if isinstance(one, Used)) == Usage(9, 0)
    assert reader.surplus_events == 0


def test_all_candidates_that_were_asked_for_must_come() -> None:
    _, reader = follow((BYTES / "choices.sse").read_bytes(), choices=3)
    assert said(reader.failure) == ("interrupted", "upstream_interrupted")


def test_safety_in_the_middle_is_an_end() -> None:
    events, reader = stream("refused")
    assert fold(events).choices == [Choice([Text("First,")], "refusal")]
    assert reader.finished


def test_a_blocked_prompt_is_a_failure_that_another_target_may_mend() -> None:
    events, reader = stream("blocked")
    assert said(reader.failure) == ("refused_by_safety", "rejected_by_provider")
    assert events[0] == Began("kZ0hadC2Jq-xmtkPx4Wq8AE", "gemini-2.5-flash", Usage(125, 0, None, 0))
    with pytest.raises(Failure) as failed:
        read_whole(asked(), (BYTES / "blocked.json").read_bytes())
    assert failed.value.kind == "refused_by_safety"


@settings(max_examples=40)
@given(data=st.data())
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_any_cut_gives_the_same_events(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    choices = 2 if path.stem == "choices" else 1
    cuts = data.draw(st.lists(st.integers(1, len(whole) - 1), max_size=12).map(sorted))
    parts = [whole[a:b] for a, b in itertools.pairwise([0, *cuts, len(whole)])]
    single = [whole[at : at + 1] for at in range(len(whole))]
    expected, reader = follow(whole, choices=choices)
    for pieces in (parts, single):
        events, other = follow(*pieces, choices=choices)
        assert events == expected
        assert said(other.failure) == said(reader.failure)


@pytest.mark.parametrize("name", ["chat", "tools", "signed"])
def test_cut_anywhere_it_is_interrupted_until_it_has_ended(name: str) -> None:
    whole = (BYTES / f"{name}.sse").read_bytes()
    last = whole.rindex(b"data: ")
    for size in range(len(whole)):
        events, reader = follow(whole[:size])
        if size < len(whole) - 4:
            assert said(reader.failure) == ("interrupted", "upstream_interrupted"), size
            assert not any(isinstance(one, Ended) for one in events)
        else:  # only the blank line is missing
            assert reader.finished
        if 0 < size <= last:
            assert reader.surplus_events == 0


def test_older_models_end_every_event() -> None:
    events, reader = follow(
        event({"text": "a"}, reason="STOP"), b": ping\n\n", event({"text": "b"}, reason="STOP")
    )
    assert reader.finished
    assert fold(events).choices == [Choice([Text("ab")], "stop")]
    assert [one for one in events if isinstance(one, Ended)] == [Ended(0, "stop")]


@pytest.mark.parametrize("word", REASONS)
def test_every_end_has_its_reason(word: str) -> None:
    events, reader = follow(event({"text": "a"}, reason=word))
    assert reader.finished
    assert fold(events).choices[0].reason == REASONS[word]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (b'{"name":"f"}', "{}"),
        (b'{"name":"f","args":null}', "{}"),
        (b'{"name":"f","args":{ "a": 1.50,\n "b": [1e3, 12345678901234567890] }}', None),
    ],
)
def test_arguments_keep_their_numbers(call: bytes, arguments: str | None) -> None:
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":%b}]},"finishReason":"STOP"}]}'
    (part,) = read_whole(asked(), body % call).choices[0].parts
    expected = '{"a":1.50,"b":[1e3,12345678901234567890]}' if arguments is None else arguments
    assert part == ToolCall("", "f", expected, wire="gemini")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([None], None),
        ([{"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4}], (3, 1)),
        ([{"promptTokenCount": 3, "totalTokenCount": 3}], None),
        ([{"promptTokenCount": 3}, {"promptTokenCount": 3, "candidatesTokenCount": 2}], (3, 2)),
        (["x"], None),
    ],
)
def test_usage_at_the_end_is_believed_when_it_can_be_true(
    told: list[Any], expected: tuple[int, int] | None
) -> None:
    metadata = [{} if one is None else {"usageMetadata": one} for one in told]
    events, _ = follow(*[event({"text": "a"}, reason="STOP", **one) for one in metadata])
    usage = fold(events).usage
    if expected is not None:
        assert usage == Usage(expected[0], 0, None, expected[1])
    else:
        assert usage == (None if told == [None] else Usage(conflict=True))
