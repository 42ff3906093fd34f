"""Hostile providers whose bytes pass to callers as they came: no end but a proper one, nothing that
is not among what came, and the same in any slicing."""

import itertools
import random
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.contract.hostile import (
    Piece,
    Words,
    changed,
    disordered,
    is_known,
    is_text_of,
    joined,
    server_sent,
    streams_with_one_wrong,
    words_of,
)
from tests.dialects.grammar import ask_of
from tests.providers import responses_wire

from tidegate.core import plugs
from tidegate.core.ask import Ask, Usage
from tidegate.core.outcome import Failure
from tidegate.core.plugs import Passthrough, StreamReader
from tidegate.core.receipt import Endpoint
from tidegate.text.sse import SseSplitter

BYTES = Path(__file__).resolve().parent.parent / "bytes"
FACTS = ("started", "content_chunks", "surplus_events", "finish_reason", "model_served")
FACTS += ("provider_request_id", "service_tier", "refused", "called", "ended_twice")


class Passed(NamedTuple):
    """A stream that a codec passes to callers of its own dialect."""

    codec: str
    dialect: str
    stream: bytes
    choices: int = 1
    endpoint: Endpoint = "chat"

    @property
    def ask(self) -> Ask:
        members: Any = {"input": "x"} if self.dialect == "openai_responses" else {"messages": []}
        more: Any = {"stream": True, "include_usage": True, "choices": self.choices}
        more["continuous_usage"] = True
        return structs.replace(ask_of(members, self.dialect, **more), endpoint=self.endpoint)

    def plug(self) -> Passthrough:
        passthrough: Passthrough = plugs.load("providers", self.codec).passthrough[self.dialect]
        return passthrough

    def reader(self) -> StreamReader:
        return self.plug().reader(self.ask)

    @property
    def pieces(self) -> list[Piece]:
        return server_sent(self.stream)


def _read(name: str) -> bytes:
    return (BYTES / name).read_bytes()


STREAMS = {
    "chat": Passed("openai", "openai_chat", _read("openai/chat.sse")),
    "tools": Passed("openai", "openai_chat", _read("openai/tools.sse")),
    "choices": Passed("openai", "openai_chat", _read("openai/choices.sse"), 2),
    "vllm": Passed("vllm", "openai_chat", _read("vllm/tools.sse")),
    "llama.cpp": Passed("llama_cpp", "openai_chat", _read("llama_cpp/at_the_end.sse")),
    "azure": Passed("azure_openai", "openai_chat", _read("azure_openai/chat.sse")),
    "groq": Passed("groq", "openai_chat", _read("groq/chat.sse")),
    "minimax": Passed("minimax", "openai_chat", _read("minimax/chat.sse")),
    "messages": Passed("anthropic", "anthropic_messages", _read("anthropic/thinking.sse")),
    "message tools": Passed("anthropic", "anthropic_messages", _read("anthropic/tools.sse")),
    "completion": Passed(
        "openai", "openai_chat", _read("openai/completion.sse"), endpoint="completions"
    ),
    "responses": Passed("openai", "openai_responses", responses_wire.chat("high", " tide")),
    "response calls": Passed("openai", "openai_responses", responses_wire.calls()),
}
ANSWERS = {
    "chat": Passed("openai", "openai_chat", _read("openai/chat.json")),
    "azure": Passed("azure_openai", "openai_chat", _read("azure_openai/chat.json")),
    "vllm": Passed("vllm", "openai_chat", _read("vllm/choices.json"), 2),
    "completion": Passed(
        "openai", "openai_chat", _read("openai/completion.json"), endpoint="completions"
    ),
    "embeddings": Passed(
        "openai", "openai_chat", _read("openai/embeddings.json"), endpoint="embeddings"
    ),
    "messages": Passed("anthropic", "anthropic_messages", _read("anthropic/tools.json")),
    "responses": Passed(
        "openai", "openai_responses", msgspec.json.encode(responses_wire.response())
    ),
}


class Heard:
    """core.plugs.Follower that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def content(self, choice: int, text: str) -> Failure | None:
        assert 0 <= choice < 128
        self.texts.append(text)
        return None

    def called(self, choice: int, call: int, name: str, arguments: str) -> Failure | None:
        assert 0 <= choice < 128
        self.texts += [name, arguments]
        return None


def follow(one: Passed, parts: Iterable[bytes]) -> tuple[bytes, Failure | None, Any]:
    """(what the caller sees, how it failed, what is known of it besides)."""
    reader = one.reader()
    heard = reader.follower = Heard()
    shown = b"".join([reader.feed(part) for part in parts])
    failure = reader.end()
    assert (failure is None) == reader.finished == bool(reader.terminal)
    facts = [getattr(reader, name) for name in FACTS]
    code = failure and (failure.kind, failure.code.name, failure.message)
    return shown + reader.terminal, failure, (facts, code, reader.text(), heard.texts, reader.usage)


@lru_cache
def good_words(stream: bytes) -> Words:
    return words_of([piece.payload or b"" for piece in server_sent(stream)])


def is_said(texts: list[str], usage: Usage | None, words: Words) -> None:
    assert is_known(usage, words)
    # A call without arguments has those that every model of its wire means by it.
    for text in set(texts) - words.texts - {"", "{}"}:
        assert is_text_of(text, words.values)  # arguments, as they stood


def is_harmless(one: Passed, stream: bytes) -> None:
    shown, failure, (facts, _, text, texts, usage) = follow(one, [stream])
    came = [*SseSplitter().feed(stream)]
    for event in SseSplitter().feed(shown):
        while came and came[0] != event:
            came.pop(0)
        # The closing mark alone may be ours, where all but it had come.
        assert came.pop(0) == event if came else failure is None
    try:
        is_said(texts, usage, good_words(one.stream))
    except AssertionError:
        pieces = (*one.pieces, *server_sent(stream))
        is_said(texts, usage, words_of([piece.payload or b"" for piece in pieces]))
    assert len(text) <= len(stream) and facts


@pytest.mark.parametrize("name", STREAMS)
def test_whatever_stands_in_any_place_of_a_stream(name: str) -> None:
    for stream in streams_with_one_wrong(STREAMS[name].pieces):
        is_harmless(STREAMS[name], stream)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 2000), max_size=6))
@pytest.mark.parametrize("name", STREAMS)
def test_events_out_of_order_lost_and_doubled(name: str, seed: int, cuts: list[int]) -> None:
    one = STREAMS[name]
    stream = joined(disordered(one.pieces, random.Random(seed)))
    is_harmless(one, stream)
    ends = [0, *sorted({cut for cut in cuts if cut < len(stream)}), len(stream)]
    whole = follow(one, [stream])
    for parts in (
        [stream[a:b] for a, b in itertools.pairwise(ends)],
        [stream[i : i + 1] for i in range(len(stream))],
    ):
        cut = follow(one, parts)
        assert (cut[0], cut[2]) == (whole[0], whole[2])


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_stands_in_any_place_of_a_whole_answer(name: str) -> None:
    one, read = ANSWERS[name], 0
    for body in changed(one.stream):
        try:
            answer = one.plug().read_answer(one.ask, body)
        except Failure as failure:
            assert failure.code.fault in ("provider", "caller")
            continue
        read += 1
        words = words_of([body, one.stream])
        assert is_known(answer.usage, words)
        for said in answer.said:
            assert {name for name, _ in said.calls} <= words.texts | {""}
    assert read > 10


def test_whatever_stands_in_any_place_of_a_count_of_tokens() -> None:
    one, read = ANSWERS["messages"], 0
    for body in changed(b'{"input_tokens":12}'):
        try:
            answer = one.plug().read_answer(structs.replace(one.ask, counts=True), body)
        except Failure as failure:
            assert failure.kind == "malformed"
        else:
            read += 1
            assert answer.usage == Usage(0, output_tokens=0)
    assert read


EMBEDDINGS = {
    "gemini": b'{"embeddings":[{"values":[0.5,-1]},{"values":[]}],"usageMetadata":'
    b'{"promptTokenCount":4}}',
    "mistral": b'{"data":[{"embedding":[0.5,-1],"index":0},{"embedding":[],"index":1}],'
    b'"usage":{"prompt_tokens":4,"total_tokens":4}}',
    "cohere": b'{"embeddings":{"float":[[0.5,-1],[]]},"meta":{"billed_units":{"input_tokens":4}}}',
}


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_whatever_stands_in_any_place_of_embeddings_in_a_wire_of_their_own(name: str) -> None:
    told, read = EMBEDDINGS[name], 0
    embedder = plugs.load("providers", name).embedder
    for body in changed(told):
        try:
            made = embedder.read(body)
        except Failure as failure:
            assert failure.kind == "malformed"
        else:
            read += 1
            assert is_known(made.usage, words_of([body, told]))
            assert all(-2 < number < 10**19 for one in made.vectors for number in one)
    assert read
