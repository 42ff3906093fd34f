"""Gemini's answers that are none: each a failure by its name, none a guess, and no exception."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.providers.gemini_streams import event, follow, said
from tests.providers.streams import asked

from tidegate.core.outcome import Failure
from tidegate.core.spoken import Ended, PartGrew, fold
from tidegate.providers._gemini_stream import GeminiReader, read_whole
from tidegate.providers._gemini_wire import FAILURES
from tidegate.text import sse


@pytest.mark.parametrize("word", [*FAILURES, "OTHER", "FINISH_REASON_UNSPECIFIED", "NEW_WORD", ""])
def test_an_end_that_is_none_is_a_failure(word: str) -> None:
    body = event({"text": "a"}, reason=word)
    _, reader = follow(body)
    kind, code, _ = FAILURES.get(word, ("interrupted", "upstream_interrupted", ""))
    assert said(reader.failure) == (kind, code)
    with pytest.raises(Failure) as failed:
        read_whole(asked(), body[6:])
    assert said(failed.value) == (kind, code)


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"functionCall": {"args": {}}},
        {"functionCall": {"name": "", "args": {}}},
        {"functionCall": {"name": "f", "args": [1]}},
        {"functionCall": {"name": "f", "args": "{}"}},
        {"functionCall": {"name": "f", "args": {}, "willContinue": True}},
        {"text": 7},
    ],
)
def test_content_that_is_not_known_is_not_guessed(part: Any) -> None:
    events, reader = follow(event({"text": "a"}), event(part, {"text": "b"}, reason="STOP"))
    assert said(reader.failure) == ("malformed", "upstream_malformed")
    assert [one.text for one in events if isinstance(one, PartGrew)] == ["a"]
    assert not any(isinstance(one, Ended) for one in events)


@pytest.mark.parametrize("index", [-1, 1, 7, 10**30])
def test_a_candidate_out_of_range_is_malformed(index: int) -> None:
    body = b'data: {"candidates":[{"index":%d,"content":{"parts":[{"text":"a"}]}}]}\n\n' % index
    _, reader = follow(body)
    assert said(reader.failure) == ("malformed", "upstream_malformed")


def test_what_follows_a_failure_is_counted_and_tells_nothing() -> None:
    reader = GeminiReader(asked())
    assert reader.feed(b"data: <html>\n\n") == []
    assert reader.feed(event({"text": "a"}) * 2) == []
    assert (reader.surplus_events, reader.end()) == (2, [])
    assert said(reader.failure) == ("malformed", "upstream_malformed")


@pytest.mark.parametrize(
    ("code", "kind"), [(429, "rate_limited"), (503, "unavailable"), (400, "rejected")]
)
def test_an_error_inside_a_stream_ends_it(code: int, kind: str) -> None:
    error = {"code": code, "message": "boom sk-aaaaaaaaaaaaaaaaaaaa", "status": "X"}
    told = b"data: %b\n\n" % msgspec.json.encode({"error": error})
    events, reader = follow(event({"text": "a"}), told)
    assert reader.failure is not None
    assert reader.failure.kind == kind
    assert "sk-" not in reader.failure.message
    assert fold(events).choices[0].reason is None


def test_an_event_without_an_end_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    _, reader = follow(b"data: " + b"x" * 200)
    assert said(reader.failure) == ("malformed", "upstream_malformed")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"{}",
        b'{"candidates":[]}',
        b'{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}',
        b'{"candidates":[{"content":{"parts":[{"text":"\xff"}]},"finishReason":"STOP"}]}',
        b'{"candidates":' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(Failure) as failed:
        read_whole(asked(), body)
    assert said(failed.value) == ("malformed", "upstream_malformed")


WORDS = st.sampled_from(
    [
        *("candidates", "content", "parts", "text", "thought", "functionCall", "args", "name"),
        *("thoughtSignature", "finishReason", "STOP", "index", "usageMetadata", "error", "code"),
        *("promptFeedback", "blockReason", "totalTokenCount", "promptTokenCount", "details"),
    ]
)


SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | WORDS | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300)
@given(bodies=st.lists(st.dictionaries(WORDS, VALUES, max_size=4), max_size=4))
def test_nothing_that_it_may_say_raises(bodies: list[dict[str, Any]]) -> None:
    data = b"".join(b"data: %b\n\n" % msgspec.json.encode(body) for body in bodies)
    events, reader = follow(data)
    if reader.finished:
        assert fold(events).choices


@given(data=st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    follow(data)
    follow(b"data: " + data + b"\n\n")
