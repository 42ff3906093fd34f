"""Every provider plug and every dialect, across wires: any cut, cut off, hostile, in order, whole.

Each stream of `tests/bytes/<plug>/` is read into events, and the events are written in each
caller's dialect; the official clients put together what was written.
"""

import itertools
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import msgspec
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response
from tests.contract.cuts import EVERY, places
from tests.dialects.grammar import STAMP, ask_of, hear, in_order
from tests.providers import family
from tests.providers.bedrock_wire import frames_at

from tidegate.core import plugs
from tidegate.core.conversation import Reasoning, Refused, Text, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.plugs import Dialect, Provider
from tidegate.core.spoken import FINISH_REASONS, Choice, Event, fold
from tidegate.core.translated import TranslatedReader
from tidegate.dialects._carriers import unmark

BYTES = Path(__file__).resolve().parent.parent / "bytes"
DIALECTS = plugs.names("dialects")
# Text completions have no place in a conversation, and no other dialect can ask for one.
NO_CHAT = {"completion", "prompts"}
# How a stream of Responses ends.
ENDS = (b"completed", b"incomplete", b"failed")
# They end in an error.
FAILING = {"overloaded", "blocked"}
STREAMS = sorted(
    path
    for path in (*BYTES.glob("*/*.sse"), *BYTES.glob("*/*.events"))
    if path.stem not in NO_CHAT | FAILING
    and path.parent.name in {*family.CODECS} - {*family.READ_AS_ANOTHER}
)
# Gemini's streams have no closing mark: only the connection's end says that nothing follows.
CLOSED = [path for path in STREAMS if path.parent.name != "gemini" and path.suffix == ".sse"]
# A stream and a whole answer that say the same.
PAIRS = [BYTES / "anthropic" / name for name in ("chat", "tools", "thinking")]


def stream_id(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def stream_at(path: Path) -> bytes:
    """The bytes of a stream; those of `.events` are written a line a frame."""
    return path.read_bytes() if path.suffix == ".sse" else frames_at(path)


def plug(path: Path) -> Provider:
    return plugs.load("providers", path.parent.name)


def asked(path: Path, dialect: str = "openai_chat") -> Any:
    choices = 2 if path.stem == "choices" else 1
    return ask_of({"messages": []}, dialect, stream=True, include_usage=True, choices=choices)


def heard(path: Path, parts: list[bytes]) -> tuple[list[Event], Failure | None, bool]:
    reader = plug(path).spoken_reader(asked(path))
    events = hear(reader, parts)
    return events, reader.failure, reader.finished


def written(path: Path, name: str, parts: list[bytes]) -> tuple[bytes, TranslatedReader]:
    dialect: Dialect = plugs.load("dialects", name)
    ask = asked(path, name)
    reader = TranslatedReader(plug(path).spoken_reader(ask), dialect.writer(ask, STAMP))
    shown = b"".join([reader.feed(part) for part in parts])
    reader.end()
    return shown + reader.terminal, reader


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_a_stream_is_heard_in_order_and_whole(path: Path) -> None:
    events, failure, finished = heard(path, [stream_at(path)])
    assert (failure, finished) == (None, True)
    in_order(events, whole=True)
    assert any(choice.parts for choice in fold(events).choices)


def same_however_cut(path: Path, parts: list[bytes]) -> None:
    stream = [stream_at(path)]
    events, *ending = heard(path, parts)
    expected, *expected_ending = heard(path, stream)
    # Usage may be told after each read of a chunk that has it, or once for several in one read.
    assert (fold(events), ending) == (fold(expected), expected_ending)
    for name in DIALECTS:
        assert written(path, name, parts)[0] == written(path, name, stream)[0]


@settings(max_examples=12)
@given(data=st.data())
@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_any_cut_gives_the_same_events_and_bytes(path: Path, data: st.DataObject) -> None:
    stream = stream_at(path)
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=12).map(sorted))
    ends = [0, *cuts, len(stream)]
    same_however_cut(path, [stream[a:b] for a, b in itertools.pairwise(ends)])


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_byte_by_byte_gives_the_same_events_and_bytes(path: Path) -> None:
    stream = stream_at(path)
    same_however_cut(path, [stream[i : i + 1] for i in range(len(stream))])


@EVERY
@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_a_stream_cut_anywhere_is_whole_or_a_failure_and_never_ends_properly(
    path: Path, every: bool
) -> None:
    stream = stream_at(path)
    said = fold(heard(path, [stream])[0])
    for size in places(stream, every=every):
        events, failure, finished = heard(path, [stream[:size]])
        in_order(events, whole=finished)
        assert finished == (failure is None), size
        if finished:  # only the closing mark was left out, or the usage
            assert fold(events).choices == said.choices
        else:
            assert failure is not None and failure.kind == "interrupted", size
    for name in DIALECTS:
        cut, reader = written(path, name, [stream[: len(stream) // 2]])
        assert reader.failure is not None and reader.terminal == b""
        assert b"[DONE]" not in cut and b"message_stop" not in cut


@settings(max_examples=25)
@given(data=st.data())
@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_hostile_bytes_never_raise(path: Path, data: st.DataObject) -> None:
    stream = bytearray(stream_at(path))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(stream) - 1))
        kind = data.draw(st.sampled_from(("swap", "cut", "double", "put")))
        end = min(len(stream), at + data.draw(st.integers(1, 200)))
        if kind == "swap":
            stream[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del stream[at:end]
        elif kind == "double":
            stream[at:at] = stream[at:end]
        else:
            stream[at:at] = data.draw(st.binary(max_size=20))
        if not stream:
            return
    events, failure, finished = heard(path, [bytes(stream)])
    assert finished == (failure is None)
    in_order(events, whole=finished)
    for name in DIALECTS:
        written(path, name, [bytes(stream)])


@pytest.mark.parametrize("path", CLOSED, ids=stream_id)
def test_nothing_is_told_after_the_end(path: Path) -> None:
    reader = plug(path).spoken_reader(asked(path))
    reader.feed(stream_at(path))
    assert reader.feed(b'event: x\ndata: {"type":"ping"}\n\ndata: late\n\n') == []
    assert reader.surplus_events == 2 and reader.finished


def carried(choice: Choice) -> list[str]:
    """What only its own wire's models can read, in order."""
    found = []
    for part in choice.parts:
        if isinstance(part, (Reasoning, ToolCall)) and part.signature:
            found.append(part.signature)
        elif isinstance(part, Reasoning) and part.sealed:
            found.append(part.sealed)
    return found


def openai_says(body: bytes, *, choices: int) -> Any:
    """What OpenAI's client makes of the stream."""
    answer = httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    client = openai.OpenAI(api_key="x", base_url="http://x/v1", http_client=http)
    asked: Any = {"model": "m", "messages": [], "n": choices}
    asked["stream_options"] = {"include_usage": True}
    with client.chat.completions.stream(**asked) as stream:
        for _ in stream:
            pass
        return stream.current_completion_snapshot


def anthropic_says(body: bytes) -> Any:
    """What Anthropic's client makes of the stream."""
    answer = httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    client = anthropic.Anthropic(api_key="x", base_url="http://x", http_client=http)
    messages: Any = [{"role": "user", "content": "x"}]
    with client.messages.stream(model="m", max_tokens=9, messages=messages) as stream:
        return stream.get_final_message()


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_openais_client_puts_together_what_we_write(path: Path) -> None:
    events = heard(path, [stream_at(path)])[0]
    said = fold(events)
    body, _ = written(path, "openai_chat", [stream_at(path)])
    whole = openai_says(body, choices=len(said.choices))
    for told, choice in zip(whole.choices, said.choices, strict=True):
        message = told.message
        texts = [part.text for part in choice.parts if isinstance(part, Text)]
        assert (message.content or "") == "".join(texts)
        refused = [part.text for part in choice.parts if isinstance(part, Refused)]
        assert (message.refusal or "") == "".join(refused)
        calls = [part for part in choice.parts if isinstance(part, ToolCall)]
        assert [
            (c.id, c.function.name, c.function.arguments) for c in message.tool_calls or ()
        ] == [(part.id, part.name, part.arguments) for part in calls]
        details = getattr(message, "reasoning_details", None) or []
        assert [one.get("signature", one.get("data")) for one in details] == carried(choice)
        assert choice.reason is not None
        assert told.finish_reason == FINISH_REASONS[choice.reason]
    if said.usage is not None and not said.usage.conflict:
        assert body.count(b'"choices":[]') == 1
        assert whole.usage.prompt_tokens == sum(
            count or 0
            for count in (
                said.usage.input_tokens,
                said.usage.cache_read_tokens,
                said.usage.cache_write_tokens,
            )
        )
    assert body.count(b"[DONE]") == 1 and body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_anthropics_client_puts_together_what_we_write(path: Path) -> None:
    events = heard(path, [stream_at(path)])[0]
    said = fold(events)
    body, _ = written(path, "anthropic_messages", [stream_at(path)])
    message = anthropic_says(body)
    parts = said.choices[0].parts
    texts = [part.text for part in parts if isinstance(part, (Text, Refused)) and part.text]
    assert [block.text for block in message.content if block.type == "text"] == texts
    calls = [(part.id, part.name) for part in parts if isinstance(part, ToolCall)]
    assert [(b.id, b.name) for b in message.content if b.type == "tool_use"] == calls
    told = [block.signature for block in message.content if block.type == "thinking"]
    told += [block.data for block in message.content if block.type == "redacted_thinking"]
    assert sorted(unmark(one)[3] for one in told if one) == sorted(carried(said.choices[0]))
    assert message.stop_reason is not None
    if said.usage is not None and not said.usage.conflict:
        assert message.usage.input_tokens == said.usage.input_tokens
        output = (said.usage.output_tokens or 0) + (said.usage.reasoning_tokens or 0)
        assert message.usage.output_tokens == output
    assert body.count(b"event: message_start") == body.count(b"event: message_stop") == 1
    assert body.endswith(b'data: {"type":"message_stop"}\n\n')


def responses_says(body: bytes) -> Any:
    """What OpenAI's client makes of the stream of Responses."""
    answer = httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    client = openai.OpenAI(api_key="x", base_url="http://x/v1", http_client=http)
    with client.responses.stream(model="m", input="x") as stream:
        numbers = [event.sequence_number for event in stream]
        assert numbers == list(range(len(numbers)))
        return stream.get_final_response()


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_openais_client_puts_together_what_we_write_in_responses(path: Path) -> None:
    said = fold(heard(path, [stream_at(path)])[0])
    body, _ = written(path, "openai_responses", [stream_at(path)])
    last = body.rstrip().rpartition(b"data: ")[2]
    told = Response.model_validate(msgspec.json.decode(last)["response"])
    parts = said.choices[0].parts
    contents = [part for item in told.output if item.type == "message" for part in item.content]
    texts = [part.text for part in parts if isinstance(part, Text) and part.text]
    assert [part.text for part in contents if part.type == "output_text"] == texts
    refused = [part.text for part in parts if isinstance(part, Refused)]
    assert [part.refusal for part in contents if part.type == "refusal"] == refused
    calls = [part for part in parts if isinstance(part, ToolCall)]
    found = [item for item in told.output if item.type == "function_call"]
    assert [(c.call_id, c.name, c.arguments) for c in found] == [
        (part.id, part.name, part.arguments) for part in calls
    ]
    sealed = [item.encrypted_content for item in told.output if item.type == "reasoning"]
    assert sorted(unmark(one, "openai_responses")[3] for one in sealed if one) == sorted(
        carried(said.choices[0])
    )
    if said.usage is not None and not said.usage.conflict:
        assert told.usage is not None
        output = (said.usage.output_tokens or 0) + (said.usage.reasoning_tokens or 0)
        assert told.usage.output_tokens == output
    assert sum(body.count(b"event: response.%b\n" % name) for name in ENDS) == 1
    if told.status == "completed":
        assert responses_says(body).output_text == told.output_text


@pytest.mark.parametrize("path", PAIRS, ids=stream_id)
def test_a_stream_and_a_whole_answer_say_the_same(path: Path) -> None:
    streamed = fold(heard(path, [path.with_suffix(".sse").read_bytes()])[0])
    body = path.with_suffix(".json").read_bytes()
    assert plug(path).read_spoken(asked(path), body) == streamed
    shown, _ = written(path, "anthropic_messages", [path.with_suffix(".sse").read_bytes()])
    reader = plug(path).spoken_reader(asked(path))
    assert fold(hear(reader, [shown])) == streamed
