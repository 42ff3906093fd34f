"""What a tap reads: requests in three wires, whoever serves them, and never the key itself."""

import hashlib

import msgspec
import pytest

from tidegate.core.ask import Usage
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.tap_reading import TapReading, Told, call_id, key_digest

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def reading() -> TapReading:
    return TapReading()


def incoming(path: str, body: object, method: bytes = b"POST") -> Incoming:
    head = Head(method, path.encode(), headers={b"content-type": b"application/json"})
    return Incoming(head, 0.0, msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("path", "body", "endpoint"),
    [
        ("/v1/chat/completions", CHAT, "chat"),
        ("/openai/deployments/m/chat/completions", CHAT, "chat"),
        ("/v1/completions", {"model": "m", "prompt": "hi"}, "completions"),
        ("/v1/embeddings", {"model": "m", "input": "hi"}, "embeddings"),
        ("/v1/messages", {**CHAT, "max_tokens": 5}, "chat"),
        ("/v1/responses", {"model": "m", "input": "hi"}, "chat"),
    ],
)
def test_requests_to_models_are_known(
    reading: TapReading, path: str, body: object, endpoint: str
) -> None:
    ask = reading.ask(incoming(path, body))
    assert ask is not None and (ask.model, ask.endpoint) == ("m", endpoint)
    assert reading.ask(incoming(path, body, b"GET")) is None


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/models", {}), ("/v1/chat/completions", [1]), ("/v1/messages/count_tokens", CHAT)],
)
def test_anything_else_is_let_pass(reading: TapReading, path: str, body: object) -> None:
    assert reading.ask(incoming(path, body)) is None


def test_an_answer_tells_its_id_and_all_its_tokens(reading: TapReading) -> None:
    ask = reading.ask(incoming("/v1/messages", {**CHAT, "max_tokens": 5}))
    usage = {"input_tokens": 3, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 5}
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "usage": {**usage, "output_tokens": 7},
    }
    assert ask is not None
    told = reading.whole(ask, msgspec.json.encode(body))
    assert told is not None and (told.answer_id, told.model_served) == ("msg_1", "claude")
    assert told.tokens() == {
        "input_tokens": 48,
        "cache_read_tokens": 40,
        "cache_write_tokens": 5,
        "output_tokens": 7,
    }
    assert reading.whole(ask, b"<html>") is None


def test_figures_that_contradict_are_not_told() -> None:
    assert Told("x", None, Usage(5, 0, 0, 5, conflict=True)).tokens() == {}
    assert Told("x", None, None).tokens() == {}
    assert Told("x", None, Usage(5, 0, 0, 2, 3)).tokens()["output_tokens"] == 5


def test_a_key_is_known_by_its_digest_alone() -> None:
    digest = hashlib.sha256(b"sk-1").hexdigest()
    assert key_digest({b"authorization": b"Bearer sk-1"}) == digest
    assert key_digest({b"x-api-key": b"sk-1"}) == digest
    assert key_digest({}) is None


def test_a_gateway_s_own_id_of_a_call_is_kept_where_it_is_one() -> None:
    assert call_id({b"x-litellm-call-id": b"abc"}) == "abc"
    assert call_id({b"x-litellm-call-id": b"x" * 300, b"x-request-id": b"r"}) == "r"
    assert call_id({}) is None
