"""Cohere's plug."""

from pathlib import Path

import msgspec
from tests.dialects.grammar import ask_of, target
from tests.providers.media_asks import ranked

from tidegate.core.ask import MEDIA
from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.providers.cohere import plug

BYTES = Path(__file__).resolve().parents[1] / "bytes/cohere"


def test_where_it_stands() -> None:
    assert (plug.base_url, plug.hosted) == ("https://api.cohere.com/v2", True)
    assert (
        plug.endpoints == {"chat", "embeddings", "rerank", "transcriptions"}
        and "openai_chat" not in plug.passthrough
    )
    assert plug.credential_header("k") == ("authorization", "Bearer k")


def test_where_a_chat_is_sent() -> None:
    said = Conversation([Turn("user", (Text("hi"),))])
    ask = ask_of({"messages": []}, stream=True, output_bound_tokens=9)
    sent = plug.encode_conversation(said, ask, target(), False)
    body = msgspec.json.decode(sent.body)
    assert (sent.path, body["stream"], body["max_tokens"]) == (b"/chat", True, 9)


def test_a_token_of_ours_that_is_bad_is_not_the_caller_s() -> None:
    failure = plug.fault(498, {}, b'{"message":"invalid token"}')
    assert (failure.kind, failure.code.name) == ("unavailable", "upstream_auth")


def test_a_prompt_that_is_too_long_is_told_apart() -> None:
    failure = plug.fault(400, {}, (BYTES / "overflow.json").read_bytes())
    assert failure.kind == "overflow"
    assert plug.fault(400, {}, (BYTES / "error.json").read_bytes()).kind == "rejected"


def test_a_ranking_passes_as_it_came() -> None:
    sent = plug.passthrough[MEDIA].encode(ranked("a", top_n=1), target())
    assert f"{plug.base_url}{sent.path.decode()}" == "https://api.cohere.com/v2/rerank"
    body = msgspec.json.decode(sent.body)
    assert (body["model"], body["top_n"]) == ("their-model", 1)
