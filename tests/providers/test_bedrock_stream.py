"""ConverseStream's frames become the events of an answer; hostile ones become a failure."""

import itertools
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.providers.bedrock_wire import BYTES, frames_of, read_by_botocore, stream_of
from tests.text.frames import frame, thrown, told

from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure
from tidegate.core.spoken import (
    Began,
    Ended,
    Event,
    PartBegan,
    PartEnded,
    PartGrew,
    Used,
    fold,
)
from tidegate.providers._bedrock_answer import read_spoken
from tidegate.providers._bedrock_stream import MAX_PARTS, MAX_SEALED_CHARS, BedrockReader

NAMES = sorted(path.stem for path in BYTES.glob("*.events"))
START = told("messageStart", b'{"role":"assistant"}')
STOP = told("messageStop", b'{"stopReason":"end_turn"}')
METADATA = told(
    "metadata", b'{"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{}}'
)


def delta(block: int, inner: str) -> bytes:
    return told("contentBlockDelta", f'{{"contentBlockIndex":{block},"delta":{inner}}}'.encode())


def call(block: int) -> bytes:
    start = f'{{"contentBlockIndex":{block},"start":{{"toolUse":{{"toolUseId":"c","name":"t"}}}}}}'
    return told("contentBlockStart", start.encode())


def closed(block: int) -> bytes:
    return told("contentBlockStop", f'{{"contentBlockIndex":{block}}}'.encode())


def follow(parts: Sequence[bytes]) -> tuple[list[Event], BedrockReader]:
    reader = BedrockReader()
    events = [event for part in parts for event in reader.feed(part)]
    return events + reader.end(), reader


def outcome(reader: BedrockReader) -> tuple[object, ...]:
    failure = reader.failure
    no = None if failure is None else (failure.kind, failure.code.name, failure.message)
    return reader.finished, no, reader.surplus_events


def failure_of(*parts: bytes) -> Failure:
    _, reader = follow(parts)
    assert not reader.finished
    assert reader.failure is not None
    return reader.failure


def test_a_chat_in_its_order() -> None:
    events, reader = follow([stream_of("chat")])
    assert events == [
        Began(),
        PartBegan(0, 0, "text"),
        PartGrew(0, 0, "text", "Hel"),
        PartGrew(0, 0, "text", "lo 🌊"),
        PartGrew(0, 0, "text", ' "there"\n'),
        PartEnded(0, 0),
        Ended(0, "stop"),
        Used(Usage(11, 1024, 16, 7)),
    ]
    assert outcome(reader) == (True, None, 0)


def test_calls_side_by_side_and_one_without_arguments() -> None:
    events, _ = follow([stream_of("tools")])
    assert events[4:] == [
        PartBegan(0, 1, "tool_call", "tooluse_a1", "weather"),
        PartGrew(0, 1, "arguments", '{"city": "Pa'),
        PartGrew(0, 1, "arguments", 'ris"}'),
        PartEnded(0, 1),
        PartBegan(0, 2, "tool_call", "tooluse_b2", "now"),
        PartGrew(0, 2, "arguments", "{}"),
        PartEnded(0, 2),
        Ended(0, "tool_calls"),
        Used(Usage(120, None, None, 48)),
    ]


def test_reasoning_keeps_its_signature_and_what_is_sealed_to_the_byte() -> None:
    events, _ = follow([stream_of("reasoning")])
    assert events[1:9] == [
        PartBegan(0, 0, "reasoning", wire="anthropic"),
        PartGrew(0, 0, "text", "Let me "),
        PartGrew(0, 0, "text", "see."),
        PartGrew(0, 0, "signature", "EqoBCkgIARABGAIiQL8k+/="),
        PartEnded(0, 0),
        PartBegan(0, 1, "reasoning", wire="anthropic"),
        PartGrew(0, 1, "sealed", "RW13S0FoZ0I="),
        PartEnded(0, 1),
    ]
    assert Ended(0, "stop_sequence", "END") in events


@pytest.mark.parametrize("name", NAMES)
def test_streamed_and_whole_are_the_same_answer(name: str) -> None:
    events, _ = follow([stream_of(name)])
    assert fold(events) == read_spoken((BYTES / f"{name}.json").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_botocore_reads_in_these_bytes_what_we_read(name: str) -> None:
    """The bytes are written by hand: AWS's own model of the wire vouches for them."""
    read = read_by_botocore(stream_of(name), stream=True)
    lines = (BYTES / f"{name}.events").read_text().splitlines()
    assert [next(iter(event)) for event in read] == [line.split(" ")[1] for line in lines]
    texts = [event["contentBlockDelta"]["delta"] for event in read if "contentBlockDelta" in event]
    text = "".join(one.get("text", "") for one in texts)
    events, _ = follow([stream_of(name)])
    begun = {
        event.index for event in events if isinstance(event, PartBegan) and event.kind == "text"
    }
    grown = [event for event in events if isinstance(event, PartGrew) and event.index in begun]
    assert text == "".join(event.text for event in grown) != ""


@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("name", NAMES)
def test_any_cut_gives_the_same_events(name: str, data: st.DataObject) -> None:
    stream = stream_of(name) + stream_of("chat")
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=12).map(sorted))
    expected, whole = follow([stream])
    for edges in ([0, *cuts, len(stream)], list(range(len(stream) + 1))):
        events, reader = follow([stream[a:b] for a, b in itertools.pairwise(edges)])
        assert events == expected
        assert outcome(reader) == outcome(whole) == (True, None, 8)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_cut_before_its_stop_is_interrupted_and_after_it_whole(name: str) -> None:
    frames = frames_of((BYTES / f"{name}.events").read_text())
    for at in range(len(frames)):
        for rest in (b"", frames[at][:20]):
            events, reader = follow([b"".join(frames[:at]) + rest])
            stopped = any(isinstance(event, Ended) for event in events)
            assert reader.finished == stopped == (at == len(frames) - 1)
            assert (reader.failure is None) == stopped
            if reader.failure is not None:
                assert reader.failure.kind == "interrupted"
            assert not any(isinstance(event, Used) for event in events)


def test_usage_before_the_stop_is_told_and_the_stop_ends_it() -> None:
    events, reader = follow([START, delta(0, '{"text":"a"}'), METADATA])
    assert Used(Usage(3, None, None, 2)) in events and not reader.finished
    assert reader.failure is not None and reader.failure.kind == "interrupted"


def test_a_part_that_nobody_closed_is_closed_by_the_stop() -> None:
    events, reader = follow([START, delta(0, '{"text":"a"}'), call(1), STOP, METADATA])
    assert events[3:6] == [
        PartBegan(0, 1, "tool_call", "c", "t"),
        PartEnded(0, 0),
        PartGrew(0, 1, "arguments", "{}"),
    ]
    assert reader.finished


def test_what_is_sealed_in_pieces_is_joined_as_bytes() -> None:
    pieces = ["RW13", "S0E=", "aGdC"]
    inner = [f'{{"reasoningContent":{{"redactedContent":"{piece}"}}}}' for piece in pieces]
    events, _ = follow([START, *(delta(0, one) for one in inner), closed(0), STOP])
    # Emw + KA + hgB, and not the three texts one after the other.
    assert PartGrew(0, 0, "sealed", "RW13S0FoZ0I=") in events


def test_parts_are_numbered_as_they_begin_and_unknown_ones_not_at_all() -> None:
    image = told("contentBlockStart", b'{"contentBlockIndex":0,"start":{"image":{"format":"png"}}}')
    events, reader = follow(
        [
            *(START, image, delta(0, '{"image":{"source":{"bytes":"AA=="}}}'), closed(0)),
            *(delta(4, '{"text":""}'), closed(4)),
            *(delta(7, '{"text":"a"}'), delta(7, '{"citation":{"title":"t"}}'), closed(7)),
            *(told("initial-response", b"{}"), told("yetToCome", b"no JSON"), STOP, METADATA),
        ]
    )
    assert [event for event in events if isinstance(event, PartBegan)] == [PartBegan(0, 0, "text")]
    assert reader.finished


EXCEPTIONS = [
    ("throttlingException", "rate_limited", "upstream_rate_limited"),
    ("internalServerException", "unavailable", "upstream_error"),
    ("modelStreamErrorException", "unavailable", "upstream_error"),
    ("serviceUnavailableException", "unavailable", "upstream_overloaded"),
    ("modelTimeoutException", "timeout", "upstream_timeout"),
    ("validationException", "rejected", "rejected_by_provider"),
    ("yetToComeException", "unavailable", "upstream_error"),
]


@pytest.mark.parametrize(("name", "kind", "code"), EXCEPTIONS)
def test_an_exception_ends_the_stream(name: str, kind: str, code: str) -> None:
    no = thrown(name, b'{"message":"key AKIAIOSFODNN7EXAMPLE"}')
    events, reader = follow([START + delta(0, '{"text":"a"}') + no + STOP + METADATA])
    assert reader.failure is not None
    assert (reader.failure.kind, reader.failure.code.name) == (kind, code)
    assert "AKIA" not in reader.failure.message
    assert len(events) == 3 and not reader.finished
    assert reader.surplus_events == 2


def test_too_long_an_input_is_told_apart_in_a_stream() -> None:
    no = thrown("validationException", b'{"message":"Input is too long for requested model."}')
    assert failure_of(START, no).kind == "overflow"


def test_an_error_frame_ends_the_stream() -> None:
    kinds = {":message-type": "error", ":error-code": "ThrottlingException", ":error-message": "x"}
    assert failure_of(START, frame(kinds, b"")).kind == "rate_limited"


TEXT = delta(0, '{"text":"a"}')
MALFORMED = {
    "no kind": [frame({}, b"")],
    "a kind that is no text": [frame({":message-type": True}, b"")],
    "an unknown kind": [frame({":message-type": "greeting"}, b"")],
    "no JSON": [START, told("contentBlockDelta", b"{")],
    "no UTF-8": [
        START,
        told("contentBlockDelta", b'{"delta":{"text":"\xff"},"contentBlockIndex":0}'),
    ],
    "deep": [START, told("messageStop", b'{"a":' + b"[" * 100_000)],
    "no index": [START, told("contentBlockDelta", b'{"delta":{"text":"a"}}')],
    "an index that is a text": [START, delta(0, '{"text":1}')],
    "two starts": [START, START],
    "nothing begun": [TEXT],
    "a stop without a start": [STOP],
    "two stops": [START, TEXT, STOP, STOP],
    "a block after the stop": [START, TEXT, STOP, delta(1, '{"text":"a"}')],
    "usage before all": [METADATA],
    "a call that has not begun": [START, delta(0, '{"toolUse":{"input":"{}"}}')],
    "a call begun twice": [START, call(0), call(0)],
    "another kind in a block": [START, TEXT, delta(0, '{"toolUse":{"input":"{}"}}')],
    "more after the block's end": [START, TEXT, closed(0), TEXT],
    "sealed that is no base64": [
        START,
        *[delta(0, '{"reasoningContent":{"redactedContent":"!"}}')] * 2,
        closed(0),
    ],
    "a call that Bedrock could not read": [
        START,
        told("messageStop", b'{"stopReason":"malformed_tool_use"}'),
    ],
    "bytes that are no frame": [START, b"data: {}\n\ndata: [DONE]\n\n"],
}


@pytest.mark.parametrize("bad", MALFORMED)
def test_what_cannot_be_is_malformed(bad: str) -> None:
    parts = MALFORMED[bad]
    assert failure_of(*parts, STOP, METADATA).kind == "malformed"
    assert failure_of(b"".join(parts)).kind == "malformed"


def test_a_reason_that_nobody_knows_is_not_guessed_at() -> None:
    no = failure_of(START, TEXT, told("messageStop", b'{"stopReason":"felt_like_it"}'), METADATA)
    assert no.kind == "interrupted"


@pytest.mark.parametrize(
    "usage", ['{"inputTokens":3,"outputTokens":0,"totalTokens":3}', '{"inputTokens":"3"}', "[]"]
)
def test_an_answer_whose_usage_is_odd_is_one_all_the_same(usage: str) -> None:
    odd = told("metadata", f'{{"usage":{usage}}}'.encode())
    events, reader = follow([START, TEXT, STOP, odd])
    assert events[-1] == Used(Usage(conflict=True)) and reader.finished
    events, reader = follow([START, TEXT, STOP, told("metadata", b"{}")])
    assert isinstance(events[-1], Ended) and reader.finished


def test_parts_and_sealed_reasoning_are_bounded() -> None:
    many = [delta(block, '{"text":"a"}') for block in range(MAX_PARTS + 1)]
    assert failure_of(START, *many).kind == "malformed"
    inner = f'{{"reasoningContent":{{"redactedContent":"{"A" * (MAX_SEALED_CHARS // 4 + 4)}"}}}}'
    assert failure_of(START, *[delta(0, inner)] * 4).kind == "malformed"


@settings(max_examples=150)
@given(data=st.data())
def test_hostile_frames_never_raise_and_mean_the_same_in_any_slicing(data: st.DataObject) -> None:
    names = st.sampled_from(
        [
            *("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop"),
            *("messageStop", "metadata", "x"),
        ]
    )
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(
                    ["delta", "text", "toolUse", "contentBlockIndex", "start", "usage"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=6,
    )
    made = st.tuples(names, values).map(lambda pair: told(pair[0], msgspec.json.encode(pair[1])))
    good = st.sampled_from([START, TEXT, call(1), closed(0), closed(1), STOP, METADATA])
    stream = b"".join(data.draw(st.lists(made | good | st.binary(max_size=9), max_size=8)))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    expected, whole = follow([stream])
    events, reader = follow([stream[a:b] for a, b in itertools.pairwise([0, *cuts, len(stream)])])
    assert (events, outcome(reader)) == (expected, outcome(whole))
    assert reader.finished != (reader.failure is not None)
