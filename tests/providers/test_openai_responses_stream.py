"""Streams of OpenAI's Responses: passed on as they came, followed to their one end."""

import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.grammar import ask_of
from tests.providers.responses_wire import USAGE, begun, calls, chat, event, response, stream, texts

from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure
from tidegate.providers._openai_responses_stream import MAX_CALLS, OpenAIResponsesStreamReader

FACTS = ("started", "finished", "terminal", "content_chunks", "surplus_events", "usage")
FACTS += ("finish_reason", "model_served", "provider_request_id", "service_tier", "sequence")
CUT = stream(
    *begun(),
    *texts("high"),
    event(
        "incomplete",
        response=response("incomplete", incomplete_details={"reason": "max_output_tokens"}),
    ),
)
# Recorded from llama.cpp, which numbers no events.
ENGINE = Path(__file__).resolve().parent.parent / "bytes/llama_cpp/responses/chat.sse"
STREAMS = {"chat": chat("high", " tide"), "calls": calls(), "cut": CUT}
STREAMS["engine"] = ENGINE.read_bytes()


def made(**more: Any) -> OpenAIResponsesStreamReader:
    return OpenAIResponsesStreamReader(ask_of({"input": "x"}, "openai_responses", **more))


def follow(
    parts: list[bytes], **more: Any
) -> tuple[bytes, Failure | None, OpenAIResponsesStreamReader]:
    reader = made(**more)
    shown = b"".join([reader.feed(part) for part in parts])
    failure = reader.end()
    return shown + reader.terminal, failure, reader


def facts(reader: OpenAIResponsesStreamReader) -> tuple[Any, ...]:
    return (*(getattr(reader, name) for name in FACTS), reader.text())


def end_of(data: bytes) -> int:
    """Where the terminal event begins."""
    return data.rindex(b"event: ")


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_passes_byte_for_byte_and_its_end_is_kept_back(name: str) -> None:
    data = STREAMS[name]
    shown, failure, reader = follow([data])
    assert (shown, failure) == (data, None)
    assert reader.terminal == data[end_of(data) :]
    assert reader.started and reader.finished


def test_what_it_says_of_itself() -> None:
    _, _, reader = follow([STREAMS["chat"]])
    assert reader.usage == Usage(7, 4, 0, 3, 6)
    assert (reader.finish_reason, reader.model_served) == ("stop", "served")
    assert (reader.provider_request_id, reader.service_tier) == ("resp_up", "default")
    assert (reader.content_chunks, reader.text(), reader.text_bytes()) == (2, b"high tide", 9)
    assert reader.sequence == 10
    _, _, reader = follow([STREAMS["calls"]])
    assert (reader.finish_reason, reader.text()) == ("tool_calls", b'tide{"at":1}')
    assert follow([CUT])[2].finish_reason == "length"
    _, _, reader = follow([STREAMS["engine"]])
    assert (reader.usage, reader.content_chunks) == (Usage(1, 35, None, 12), 12)
    assert (reader.model_served, reader.sequence) == ("smollm2-135m", 0)


def test_before_content_nothing_has_started() -> None:
    reader = made()
    reader.feed(stream(*begun()))
    assert not reader.started and reader.sequence == 2


@given(st.data())
def test_any_cut_gives_the_same_bytes_and_facts(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(list(STREAMS.values())))
    cuts = data.draw(st.lists(st.integers(1, len(whole) - 1), max_size=12).map(sorted))
    parts = [whole[a:b] for a, b in itertools.pairwise([0, *cuts, len(whole)])]
    shown, failure, reader = follow(parts)
    assert (shown, failure) == (whole, None)
    assert facts(reader) == facts(follow([whole])[2])


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_off_is_a_failure(name: str) -> None:
    data = STREAMS[name]
    for size in range(len(data) - 2):  # its blank line is not missed
        shown, failure, reader = follow([data[:size]])
        assert failure is not None and failure.kind == "interrupted", size
        assert not reader.finished and data.startswith(shown)
    assert follow([data[:-2]])[1] is None


@given(st.data())
def test_hostile_bytes_never_raise(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(list(STREAMS.values()))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
        if not whole:
            return
    _, failure, reader = follow([bytes(whole)])
    assert reader.finished == (failure is None)


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (b'{"type":"error","code":"rate_limit_exceeded","message":"x"}', "rate_limited"),
        (b'{"type":"error","code":null,"message":"x"}', "unavailable"),
        (b'{"type":"x","error":{"message":"boom"}}', "unavailable"),
        (b'{"type":"response.failed","response":{"status":"failed"}}', "interrupted"),
        (b'{"type":"response.completed","response":{"status":"in_progress"}}', "malformed"),
        (b'{"type":5}', "malformed"),
        (b"<html>", "malformed"),
    ],
)
def test_an_error_is_a_failure_and_is_not_shown(last: bytes, kind: str) -> None:
    before = stream(*begun(), *texts("a"))
    shown, failure, _ = follow([before, b"data: %b\n\n" % last, b"data: {}\n\n"])
    assert failure is not None and failure.kind == kind
    assert shown == before


def test_what_a_failed_answer_used_is_known() -> None:
    told = response("failed", usage=USAGE, error={"code": "server_error", "message": "x"})
    _, failure, reader = follow([stream(event("failed", response=told))])
    assert failure is not None and failure.kind == "unavailable"
    assert reader.usage == Usage(7, 4, 0, 3, 6)


def test_content_that_was_seen_is_not_counted_as_none() -> None:
    usage = {**response()["usage"], "output_tokens": 0, "total_tokens": 11}
    usage["output_tokens_details"] = {"reasoning_tokens": 0}
    assert follow([chat("a", usage=usage)])[2].usage == Usage(conflict=True)


def test_whatever_follows_the_end_is_counted_and_dropped() -> None:
    data = STREAMS["chat"]
    shown, failure, reader = follow([data + b"data: [DONE]\n\n", b"data: late\n\n"])
    assert (shown, failure, reader.surplus_events) == (data, None, 2)


def test_an_answer_has_a_most_of_calls() -> None:
    call = {"type": "function_call", "name": "f"}
    reader = made()
    for index in range(MAX_CALLS + 1):
        assert reader.failure is None
        added = {"type": "response.output_item.added", "output_index": index, "item": call}
        reader.feed(b"data: %b\n\n" % msgspec.json.encode(added))
    assert reader.failure is not None and reader.failure.kind == "malformed"


def test_a_comment_passes() -> None:
    assert made().feed(b": keepalive\n\n") == b": keepalive\n\n"


def test_an_id_is_shown_as_the_gateway_names_it() -> None:
    data = STREAMS["chat"]
    shown, _, reader = follow([data], renamed=lambda told, id: told.replace(b"resp_up", b"ours"))
    assert shown == data.replace(b"resp_up", b"ours")
    assert reader.provider_request_id == "resp_up"


def test_text_beyond_what_is_kept_is_counted_by_its_length() -> None:
    reader = made()
    reader.feed(stream(*texts("x" * 300_000)))
    reader.feed(stream(*texts("y" * 10)))
    assert (len(reader.text()), reader.text_bytes()) == (300_000, 300_010)


def test_an_event_too_long_to_hold_is_malformed() -> None:
    reader = made()
    assert reader.feed(b"data: " + b"x" * (4 * 1024 * 1024 + 1)) == b""
    assert reader.failure is not None and reader.failure.kind == "malformed"


def test_a_call_of_a_tool_that_is_no_function_is_a_call_too() -> None:
    item = {"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": ""}
    reader = follow([stream(event("output_item.added", output_index=0, item=item))])[2]
    assert reader.called
