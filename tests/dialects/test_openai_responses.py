"""OpenAI's Responses, as their callers see them."""

from typing import Any

import httpx2
import msgspec
import openai
import pytest
from tests.dialects.grammar import STAMP, ask_of

from tidegate.core.ask import Usage
from tidegate.core.conversation import Text, ToolCall
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.spoken import Choice, Spoken
from tidegate.dialects.openai_responses import plug


def client(body: bytes, kind: str = "application/json", status: int = 200) -> openai.OpenAI:
    answer = httpx2.Response(status, content=body, headers={"content-type": kind})
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    return openai.OpenAI(api_key="x", base_url="http://x/v1", http_client=http, max_retries=0)


def whole(*parts: Any, **more: Any) -> bytes:
    ask = ask_of({"model": "m", "input": "x"}, "openai_responses")
    return plug.whole(
        ask, STAMP, Spoken("id", "served", **more, choices=[Choice([*parts], "stop")])
    )


def test_where_it_is_spoken() -> None:
    assert dict(plug.paths) == {b"/v1/responses": "chat", b"/responses": "chat"}
    assert (plug.content, plug.ceiling) == ("input", "max_output_tokens")
    assert plug.read(ask_of({"input": "hi"}, "openai_responses")).turns
    assert plug.writer(ask_of({"input": "hi"}), STAMP).sequence == 0


def test_the_official_client_reads_a_whole_answer() -> None:
    body = whole(Text("hi"), ToolCall("c1", "f", "{}"), usage=Usage(7, 3, None, 2, 5))
    told = client(body).responses.create(model="m", input="x")
    assert (told.output_text, told.model, told.status) == ("hi", "served", "completed")
    assert told.output[1].type == "function_call"
    assert told.usage is not None
    assert told.usage.input_tokens_details.cached_tokens == 3


def test_an_answer_without_a_choice_is_empty() -> None:
    ask = ask_of({"model": "m", "input": "x"}, "openai_responses")
    assert msgspec.json.decode(plug.whole(ask, STAMP, Spoken()))["output"] == []


def test_errors_are_openai_s() -> None:
    no = Refusal("invalid_parameter", "no", param="input")
    assert plug.status(no) == 400
    with pytest.raises(openai.BadRequestError) as told:
        client(plug.error(no, "r"), status=400).responses.create(model="m", input="x")
    assert (told.value.code, told.value.param) == ("invalid_parameter", "input")


def test_a_stream_fails_with_a_numbered_event_of_its_own() -> None:
    no = Failure("interrupted", "upstream_interrupted", "cut")
    body = plug.error_event(no, "r", 7)
    [event] = client(body, "text/event-stream").responses.create(model="m", input="x", stream=True)
    assert event.type == "error"
    assert (event.code, event.message, event.param) == ("upstream_interrupted", "cut", None)
    assert event.sequence_number == 7
