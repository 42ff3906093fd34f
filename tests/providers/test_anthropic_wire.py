"""The course of a stream, judged event by event, and what usage comes to."""

from typing import Any

import pytest
from tests.providers.messages import PING, STOP, block, delta, end, sent, start, stop, text

from tidegate.core.ask import Usage
from tidegate.providers._anthropic_wire import MAX_BLOCKS, Course, payload_of, read_usage
from tidegate.text.sse import SseSplitter, data_of

CONFLICT = Usage(conflict=True)


def follow(stream: bytes) -> Course:
    course = Course()
    for event in SseSplitter().feed(stream):
        course.take(event)
    return course


def test_a_proper_course() -> None:
    course = follow(start() + PING + text(0, "a") + text(1, "b") + end() + STOP + PING + STOP)
    assert (course.finished, course.failure, course.surplus_events) == (True, None, 2)
    assert (course.stop_reason, course.usage) == ("end_turn", Usage(7, None, None, 3))


OUT_OF_ORDER = {
    "content before the message": text(0, "a"),
    "an end before the message": end(),
    "two beginnings": start() + start(),
    "a beginning of nothing": sent("message_start"),
    "a block out of turn": start() + block(1),
    "a block twice": start() + text(0, "a") + block(0),
    "a block of nothing": start() + sent("content_block_start", index=0),
    "content of no block": start() + delta(0, text="a"),
    "content of a block that has ended": start() + text(0, "a") + delta(0, text="b"),
    "content of nothing": start() + block(0) + sent("content_block_delta", index=0),
    "an end of no block": start() + stop(0),
    "no JSON": start() + b"event: ping\ndata: {\n\n",
    "no type": start() + b"event: ping\ndata: {}\n\n",
    "deep": start() + b"data: " + b"[" * 5000 + b"\n\n",
    "an index that is none": start() + b'data: {"type":"content_block_stop","index":"0"}\n\n',
}


@pytest.mark.parametrize("name", OUT_OF_ORDER)
def test_what_is_out_of_order_is_malformed(name: str) -> None:
    course = follow(OUT_OF_ORDER[name] + end() + STOP)
    assert course.failure is not None and course.failure.kind == "malformed"
    assert not course.finished and course.surplus_events >= 1


def test_nothing_is_said_after_the_message_s_end() -> None:
    """Neither in a block that was left open, nor in one that begins then."""
    for late in (delta(0, text="more"), block(1)):
        course = Course()
        for event in (start(), block(0), delta(0, text="x"), end()):
            course.take(event)
        assert course.failure is None
        course.take(late)
        assert course.failure is not None and course.failure.kind == "malformed"


def test_a_message_has_a_most_of_blocks() -> None:
    course = Course()
    course.take(start())
    for index in range(MAX_BLOCKS):
        course.take(block(index, "odd"))
    assert course.failure is None
    course.take(block(MAX_BLOCKS, "odd"))
    assert course.failure is not None and course.failure.kind == "malformed"


def test_what_blocks_begin_with_has_a_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.providers._anthropic_wire.MAX_INPUT_BYTES", 1000)
    course = Course()
    course.take(start())
    for index in range(20):
        assert course.failure is None or index > 9
        course.take(block(index, "tool_use", id="a", name="f", input={"p": "x" * 90}))
    assert course.failure is not None and course.failure.kind == "malformed"


def test_events_that_nobody_knows_say_nothing() -> None:
    odd = sent("something_new", data=[1]) + b": comment\n\n"
    course = follow(odd + start() + odd + text(0, "a") + end() + odd + STOP)
    assert course.finished and course.failure is None


def test_a_stop_without_a_reason_is_interrupted() -> None:
    course = follow(start() + text(0, "a") + end(None) + STOP)
    assert course.failure is not None and course.failure.kind == "interrupted"


@pytest.mark.parametrize(
    ("stream", "whole"),
    [
        (start() + text(0, "a") + end(), True),
        (start() + block(0) + delta(0, text="a") + end(), False),
        (start() + text(0, "a"), False),
        (start(), False),
        (b"", False),
    ],
)
def test_at_the_connections_end_only_the_closing_mark_may_be_missing(
    stream: bytes, whole: bool
) -> None:
    course = follow(stream)
    course.end()
    assert course.finished == whole == (course.failure is None)


@pytest.mark.parametrize(
    "event",
    [
        PING,
        b"data: x\n\n",
        b"event: a\r\ndata: x\r\n\r\n",
        b"event: a\ndata: x\ndata: y\n\n",
        b": c\n\n",
        b"event: a\n\ndata: x\n\n",
        b"event: a\nid: 5\ndata: x\n\n",
        b"id: 5\ndata: x\n\n",
    ],
)
def test_the_quick_way_to_a_payload_is_the_careful_one(event: bytes) -> None:
    (raw, *_) = SseSplitter().feed(event)
    assert payload_of(raw) == data_of(raw)


def test_usage_at_the_beginning_tells_the_input_only() -> None:
    told = {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 2}
    assert read_usage(told, whole=False) == Usage(7, 3)
    zeros = {"input_tokens": 0, "output_tokens": 0}
    assert read_usage(zeros, whole=False) == Usage()


def test_what_a_cache_keeps_for_an_hour_is_told_apart() -> None:
    kept = {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 4}
    told = {"input_tokens": 7, "cache_creation_input_tokens": 5, "cache_creation": kept}
    begun = read_usage(told, whole=False)
    assert begun == Usage(7, None, 5, cache_write_1h_tokens=4)
    assert read_usage({"output_tokens": 9}, begun) == Usage(7, None, 5, 9, cache_write_1h_tokens=4)
    none = {**told, "output_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 0}}
    assert read_usage(none) == Usage(7, None, 5, 9)


def test_what_a_later_usage_leaves_out_holds() -> None:
    before = Usage(7, 3, 2)
    details = {"thinking_tokens": 4}
    assert read_usage({"output_tokens": 9, "output_tokens_details": details}, before) == Usage(
        7, 3, 2, 5, 4
    )
    assert read_usage({"output_tokens": 9, "input_tokens": 8}, before) == Usage(8, 3, 2, 9)


@pytest.mark.parametrize(
    ("told", "before"),
    [
        ({"output_tokens": 9}, None),
        ({"input_tokens": 7}, None),
        ({"input_tokens": 0, "output_tokens": 9}, None),
        ({"input_tokens": -1, "output_tokens": 9}, None),
        ({"input_tokens": 7, "output_tokens": -9}, None),
        ({"input_tokens": 10**12, "output_tokens": 9}, None),
        ({"input_tokens": "7", "output_tokens": 9}, None),
        ({"input_tokens": 7, "output_tokens": 9.5}, None),
        (
            {
                "input_tokens": 7,
                "output_tokens": 2,
                "output_tokens_details": {"thinking_tokens": 3},
            },
            None,
        ),
        (
            {
                "input_tokens": 7,
                "output_tokens": 9,
                "cache_creation_input_tokens": 2,
                "cache_creation": {"ephemeral_1h_input_tokens": 3},
            },
            None,
        ),
        ({"output_tokens": 2}, Usage(7, None, None, 3)),
        ({"output_tokens": 4}, CONFLICT),
        ([], None),
        ("x", None),
    ],
)
def test_usage_that_cannot_be_true(told: Any, before: Usage | None) -> None:
    assert read_usage(told, before) == CONFLICT


def test_no_output_where_content_was_seen_cannot_be_true() -> None:
    assert follow(start() + text(0, "a") + end(output_tokens=0) + STOP).usage == CONFLICT
    assert follow(start() + end(output_tokens=0) + STOP).usage == Usage(7, None, None, 0)
