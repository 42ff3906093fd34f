"""Mistral's plug; its requests and its parts have tests of their own."""

from pathlib import Path

import pytest
from tests.dialects.grammar import ask_of, hear, target

from tidegate.core.ask import Usage
from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.spoken import fold
from tidegate.providers.mistral import plug

BYTES = Path(__file__).resolve().parents[1] / "bytes/mistral"


def test_where_it_stands() -> None:
    assert (plug.base_url, plug.hosted) == ("https://api.mistral.ai/v1", True)
    assert plug.passthrough.keys() == {"media"} and plug.embedder is not None
    assert plug.endpoints == {"chat", "embeddings", "moderations", "transcriptions"}


def test_a_context_that_is_full_is_no_ceiling() -> None:
    reader = plug.spoken_reader(ask_of({"messages": []}, stream=True))
    told = fold(hear(reader, [(BYTES / "chat.sse").read_bytes()]))
    assert told.choices[0].reason == "context_full"
    assert told.usage == Usage(11, 8, None, 4)


@pytest.mark.parametrize("word", ["error", "abort", "weary"])
def test_an_end_that_is_none_is_a_failure(word: str) -> None:
    body = (BYTES / "chat.json").read_bytes().replace(b'"stop"', f'"{word}"'.encode())
    with pytest.raises(Failure):
        plug.read_spoken(ask_of({"messages": []}), body)


def test_what_its_reader_found_wrong_is_told() -> None:
    failure = plug.fault(422, {}, (BYTES / "error.json").read_bytes())
    assert (failure.kind, failure.status) == ("rejected", 422)
    assert "stream_options" in failure.message and "Extra inputs" in failure.message


def test_a_name_has_no_place() -> None:
    said = Conversation([Turn("user", (Text("hi"),), "ann")])
    with pytest.raises(Refusal, match="mistral"):
        plug.encode_conversation(said, ask_of({"messages": []}), target(), False)
    sent = plug.encode_conversation(said, ask_of({"messages": []}), target(), True)
    assert sent.dropped == ("name",)
