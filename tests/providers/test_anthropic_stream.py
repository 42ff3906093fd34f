"""Anthropic's own callers: bytes pass as they came, whatever their slicing."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.providers.messages import PING, STOP, block, delta, end, start, text

from tidegate.core import kept_text
from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure
from tidegate.providers._anthropic_stream import AnthropicStreamReader

BYTES = Path(__file__).resolve().parent.parent / "bytes" / "anthropic"
STREAMS = sorted(path for path in BYTES.glob("*.sse") if path.stem != "overloaded")
FACTS = ("started", "finished", "terminal", "content_chunks", "surplus_events", "usage")
FACTS += ("finish_reason", "model_served", "provider_request_id", "failure")


def follow(*parts: bytes) -> tuple[bytes, AnthropicStreamReader]:
    reader = AnthropicStreamReader()
    shown = b"".join([reader.feed(part) for part in parts])
    reader.end()
    return shown + (reader.terminal if reader.failure is None else b""), reader


def facts(reader: AnthropicStreamReader) -> tuple[Any, ...]:
    return (*(getattr(reader, name) for name in FACTS), reader.text(), reader.text_bytes())


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stream_passes_byte_for_byte(path: Path) -> None:
    stream = path.read_bytes()
    shown, reader = follow(stream)
    assert (shown, reader.failure, reader.finished) == (stream, None, True)
    assert reader.started and reader.content_chunks > 0
    assert reader.usage is not None and reader.usage.output_tokens
    assert reader.terminal == STOP


@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_any_cut_gives_the_same_bytes_and_facts(path: Path, data: st.DataObject) -> None:
    stream = path.read_bytes()
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=12).map(sorted))
    parts = [stream[a:b] for a, b in itertools.pairwise([0, *cuts, len(stream)])]
    whole = follow(stream)[1]
    for one in (parts, [stream[i : i + 1] for i in range(len(stream))]):
        shown, reader = follow(*one)
        assert shown == stream
        assert facts(reader) == facts(whole)


@settings(max_examples=40)
@given(data=st.data())
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_hostile_bytes_never_raise_and_end_in_one_way(path: Path, data: st.DataObject) -> None:
    stream = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(stream) - 1))
        size = data.draw(st.integers(0, 80))
        stream[at : at + size] = data.draw(st.binary(max_size=20) | st.just(stream[: size * 3]))
        stream += b"x"
    _, reader = follow(bytes(stream))
    assert reader.finished == (reader.failure is None)
    assert bool(reader.terminal) == reader.finished


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stream_cut_anywhere_is_a_failure_until_its_message_has_ended(path: Path) -> None:
    stream = path.read_bytes()
    ended = stream.index(b"\n", stream.index(b'"message_delta"'))
    for size in range(len(stream)):
        shown, reader = follow(stream[:size])
        if size < ended:
            assert reader.failure is not None and reader.failure.kind == "interrupted", size
            assert b"message_stop" not in shown
        else:
            assert reader.failure is None
            assert shown.rstrip() == stream.rstrip()


def test_what_a_stream_says_of_itself() -> None:
    _, reader = follow((BYTES / "thinking.sse").read_bytes())
    assert reader.usage == Usage(30, 0, 0, 20, 40)
    assert (reader.finish_reason, reader.model_served) == ("stop", "claude-sonnet-4-5-20250929")
    assert reader.provider_request_id == "msg_01R"
    assert reader.text() == b"First the port, then the tide.High water at 6."


def test_a_cut_stream_still_tells_its_input() -> None:
    _, reader = follow(start(cache_read_input_tokens=5) + block(0) + delta(0, text="a"))
    assert reader.usage == Usage(7, 5)
    assert (reader.started, reader.text()) == (True, b"a")


def test_a_ping_passes_and_starts_nothing() -> None:
    reader = AnthropicStreamReader()
    assert reader.feed(start() + PING) == start() + PING
    assert not reader.started


def test_an_error_inside_a_stream() -> None:
    stream = (BYTES / "overloaded.sse").read_bytes()
    shown, reader = follow(stream)
    assert reader.failure is not None
    assert (reader.failure.kind, reader.failure.code.name) == ("unavailable", "upstream_overloaded")
    assert stream.startswith(shown) and b"event: error" not in shown
    assert reader.feed(PING) == b"" and reader.surplus_events == 1


def test_whatever_follows_the_end_is_counted_and_dropped() -> None:
    stream = start() + text(0, "a") + end() + STOP
    shown, reader = follow(stream + PING, STOP)
    assert (shown, reader.surplus_events) == (stream, 2)


def test_a_reason_that_nobody_knows_is_noted_as_it_came() -> None:
    _, reader = follow(start() + text(0, "a") + end("something_new") + STOP)
    assert (reader.finish_reason, reader.failure) == ("something_new", None)


def test_an_event_without_end_is_malformed() -> None:
    reader = AnthropicStreamReader()
    assert reader.feed(b"data: " + b"x" * (5 * 1024 * 1024)) == b""
    assert reader.failure is not None and reader.failure.kind == "malformed"


def test_text_beyond_what_is_kept_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_text, "MAX_TEXT_BYTES", 3)
    _, reader = follow(start() + text(0, "abcd", "é"))
    assert (reader.text(), reader.text_beyond_bytes, reader.text_bytes()) == (b"abcd", 2, 6)


class Heard:
    """core.plugs.Follower that writes down what it is told, and ends the answer at a word."""

    def __init__(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def content(self, choice: int, text: str) -> Failure | None:
        self.said.append((choice, text))
        if text == "bad":
            return Failure("malformed", "upstream_invalid_answer", "no")
        return None

    def called(self, choice: int, call: int, name: str, arguments: str) -> Failure | None:
        self.said.append((choice, call, name, arguments))
        return None


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_follower_is_told_of_content_and_calls_however_it_is_cut(size: int) -> None:
    stream = b"".join(
        (
            start(),
            block(0, "thinking", thinking=""),
            delta(0, "thinking_delta", thinking="hm"),
            text(1, "hel", "lo"),
            block(2, "tool_use", id="c", name="look", input={}),
            delta(2, "input_json_delta", partial_json="{}"),
            block(3, "tool_use", id="d", name="see", input={}),
            end("tool_use"),
            STOP,
        )
    )
    reader = AnthropicStreamReader()
    heard = reader.follower = Heard()
    for at in range(0, len(stream), size):
        reader.feed(stream[at : at + size])
    called = [(0, 0, "look", ""), (0, 0, "", "{}"), (0, 1, "see", "")]
    assert heard.said == [(0, "hel"), (0, "lo"), *called]
    assert (reader.called, reader.opening(4), reader.failure) == (True, b"hell", None)


def test_arguments_may_come_with_the_beginning_of_their_call() -> None:
    def stop(index: int) -> bytes:
        return b'data: {"type":"content_block_stop","index":%d}\n\n' % index

    reader = AnthropicStreamReader()
    heard = reader.follower = Heard()
    reader.feed(start() + block(0, "tool_use", id="c", name="look", input={"a": 1}) + stop(0))
    reader.feed(block(1, "tool_use", id="d", name="see", input={}))
    reader.feed(delta(1, "input_json_delta", partial_json="{}") + stop(1))
    called = [(0, 0, "look", ""), (0, 0, "", '{"a":1}'), (0, 1, "see", ""), (0, 1, "", "{}")]
    assert heard.said == called


def test_what_ends_the_answer_is_not_shown_and_nothing_after_it() -> None:
    reader = AnthropicStreamReader()
    reader.follower = Heard()
    assert reader.feed(start() + text(0, "good")) != b""
    assert reader.feed(block(1) + delta(1, text="bad")) == block(1)
    assert reader.failure is not None and reader.failure.code.name == "upstream_invalid_answer"
    assert reader.feed(delta(1, text="more") + end() + STOP) == b""


def test_a_second_end_is_told_of() -> None:
    once, twice = (follow(start(), text(0, "a"), end(), STOP * many)[1] for many in (1, 2))
    assert (once.ended_twice, twice.ended_twice) == (False, True)
