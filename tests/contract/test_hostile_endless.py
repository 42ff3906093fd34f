"""Answers without an end, of every wire, for callers of every dialect: what is held of them is
bounded, and then they are failures."""

import itertools
import tracemalloc
from collections.abc import Callable, Iterator

import msgspec
import pytest
from tests.contract.test_hostile import DIALECTS
from tests.dialects.grammar import STAMP, ask_of
from tests.providers import messages, streams
from tests.text.frames import told

from tidegate.core import plugs, translated
from tidegate.core.translated import TranslatedReader

MOST_BYTES = 256 * 1024
_encode = msgspec.json.encode
Endless = Callable[[], Iterator[bytes]]


def chat_calls() -> Iterator[bytes]:
    for number in itertools.count():
        call = {"index": number, "id": f"c{number}", "function": {"name": "f", "arguments": "{"}}
        yield streams.choice(0, tool_calls=[call])


def chat_pieces() -> Iterator[bytes]:
    for number in itertools.count():
        call = {"index": number % 2, "id": "c", "function": {"name": "f", "arguments": "["}}
        yield streams.choice(0, tool_calls=[call])


def message_blocks() -> Iterator[bytes]:
    yield messages.start()
    for number in itertools.count():
        yield messages.block(number, "tool_use", id="a", name="f") + messages.stop(number)


def message_signatures() -> Iterator[bytes]:
    yield messages.start() + messages.block(0, "thinking")
    while True:
        yield messages.delta(0, "signature_delta", signature="x")


def gemini_calls() -> Iterator[bytes]:
    part = {"functionCall": {"name": "f", "args": {"a": 1}}}
    while True:
        yield streams.sent({"candidates": [{"content": {"parts": [part]}}]})


def converse_blocks() -> Iterator[bytes]:
    yield told("messageStart", b'{"role":"assistant"}')
    for number in itertools.count():
        call = {"toolUse": {"toolUseId": "a", "name": "f"}}
        yield told("contentBlockStart", _encode({"contentBlockIndex": number, "start": call}))


def converse_seals() -> Iterator[bytes]:
    yield told("messageStart", b'{"role":"assistant"}')
    delta = {"reasoningContent": {"redactedContent": "QUFB" * 100}}
    while True:
        yield told("contentBlockDelta", _encode({"contentBlockIndex": 0, "delta": delta}))


def cohere_calls() -> Iterator[bytes]:
    for number in itertools.count():
        call = {"id": f"c{number}", "function": {"name": "f", "arguments": ""}}
        delta = {"message": {"tool_calls": call}}
        yield streams.sent({"type": "tool-call-start", "index": number, "delta": delta})


def cohere_plans() -> Iterator[bytes]:
    delta = {"message": {"tool_plan": "x"}}
    while True:
        yield streams.sent({"type": "tool-plan-delta", "delta": delta})


def mistral_thoughts() -> Iterator[bytes]:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "x"}]}
    while True:
        yield streams.choice(0, content=[part])


def texts_of_gemini() -> Iterator[bytes]:
    while True:
        yield streams.sent({"candidates": [{"content": {"parts": [{"text": "x"}]}}]})


ENDLESS: dict[str, tuple[str, Endless]] = {
    "calls of OpenAI": ("openai", chat_calls),
    "pieces of two calls of OpenAI": ("vllm", chat_pieces),
    "blocks of Anthropic": ("anthropic", message_blocks),
    "signatures of Anthropic": ("anthropic", message_signatures),
    "calls of Gemini": ("gemini", gemini_calls),
    "texts of Gemini": ("gemini", texts_of_gemini),
    "calls of Cohere": ("cohere", cohere_calls),
    "plans of Cohere": ("cohere", cohere_plans),
    "thoughts of Mistral": ("mistral", mistral_thoughts),
    "blocks of Bedrock": ("bedrock", converse_blocks),
    "seals of Bedrock": ("bedrock", converse_seals),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ENDLESS)
def test_what_is_held_of_an_answer_without_an_end_is_bounded(
    name: str, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translated, "MAX_ANSWER_BYTES", MOST_BYTES)
    monkeypatch.setattr("tidegate.providers._bedrock_stream.MAX_SEALED_CHARS", MOST_BYTES)
    codec, endless = ENDLESS[name]
    ask = ask_of({"messages": []}, dialect, stream=True)
    writer = plugs.load("dialects", dialect).writer(ask, STAMP)
    spoken = plugs.load("providers", codec).spoken_reader(ask)
    reader = TranslatedReader(spoken, writer)
    tracemalloc.start()
    try:
        for event in itertools.islice(endless(), 20_000):
            reader.feed(event)
            if reader.failure is not None:
                break
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reader.failure is not None and reader.failure.kind == "malformed"
    assert peak_bytes < 8 * MOST_BYTES
