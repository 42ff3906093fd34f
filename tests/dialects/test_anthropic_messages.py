"""Anthropic's Messages as a dialect: whole answers, errors, and the way through and back."""

from typing import Any

import anthropic
import httpx2
import msgspec
import pytest
from anthropic.types import Message
from tests.dialects.grammar import STAMP, ask_of

from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Refused, Text, ToolCall
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.spoken import Choice, Reason, Spoken
from tidegate.dialects.anthropic_messages import plug

ASK = ask_of({"messages": []}, "anthropic_messages")


def whole(choice: Choice, usage: Usage | None = None, **more: Any) -> dict[str, Any]:
    told = msgspec.json.decode(
        plug.whole(ASK, STAMP, Spoken(usage=usage, choices=[choice], **more))
    )
    Message.model_validate(told)
    return told


PARTS: list[Any] = [
    Reasoning("hm", "s+/=", None, "anthropic"),
    Reasoning("", None, "EmwK", "anthropic"),
    Reasoning("sum", None, "gA", "openai_responses", "rs"),
    Reasoning("open"),
    Text("Hello"),
    ToolCall("a", "f", '{"x": 1.50}'),
    ToolCall("b", "g", "{}", "c2ln", "gemini"),
]


def test_a_whole_answer() -> None:
    told = whole(Choice(PARTS, "tool_calls"), Usage(5, 1, None, 2, 3), id="i", model="served")
    assert (told["id"], told["model"], told["stop_reason"]) == ("i", "served", "tool_use")
    assert [block["type"] for block in told["content"]] == [
        *("thinking", "redacted_thinking", "thinking", "thinking", "text"),
        *("tool_use", "tool_use", "redacted_thinking"),
    ]
    assert told["content"][5]["input"] == {"x": 1.5}
    assert told["usage"]["output_tokens"] == 5
    body = plug.whole(ASK, STAMP, Spoken(choices=[Choice(PARTS, "tool_calls")]))
    assert b'"input":{"x": 1.50}' in body  # as the model wrote it


def test_a_message_comes_back_as_it_was() -> None:
    """What a client is given and sends back says the same to a model as before."""
    body = plug.whole(ASK, STAMP, Spoken(choices=[Choice(PARTS, "tool_calls")]))
    content = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["content"]
    sent = b'{"messages":[{"role":"assistant","content":%b}]}' % bytes(content)
    assert plug.read(ask_of(sent)).turns[0].parts == tuple(PARTS)


def test_what_was_refused_is_text_and_nothing_empty_is_told() -> None:
    told = whole(Choice([Text(""), Refused("no"), Reasoning("")], "refusal"))
    assert told["content"] == [{"type": "text", "text": "no"}]
    assert (told["stop_reason"], told["id"]) == ("refusal", "msg_0198c0de")
    assert whole(Choice())["stop_reason"] is None


@pytest.mark.parametrize(
    ("arguments", "reason", "expected"),
    [("", "tool_calls", {}), ('{"a":', "length", {}), ('{"a":', "context_full", {})],
)
def test_a_call_without_whole_arguments_is_empty(
    arguments: str, reason: Reason, expected: dict[str, Any]
) -> None:
    told = whole(Choice([ToolCall("a", "f", arguments)], reason))
    assert told["content"][0]["input"] == expected


@pytest.mark.parametrize(
    "arguments",
    ['{"a":', "[1]", '{},"role":"user"', '{"a":1e999}', '{"a":' + "[" * 9999 + "]" * 9999 + "}"],
)
def test_arguments_that_are_no_object_are_never_told_as_some(arguments: str) -> None:
    with pytest.raises(Failure) as failed:
        whole(Choice([ToolCall("a", "f", arguments)], "tool_calls"))
    assert failed.value.kind == "malformed"


ERRORS: list[tuple[Refusal | Failure, int, str]] = [
    (Refusal("invalid_parameter", "no"), 400, "invalid_request_error"),
    (Refusal("invalid_api_key", "no"), 401, "authentication_error"),
    (Refusal("route_not_allowed", "no"), 403, "permission_error"),
    (Refusal("model_not_found", "no"), 404, "not_found_error"),
    (Refusal("body_too_large", "no"), 413, "request_too_large"),
    (Refusal("unsupported_media_type", "no"), 415, "invalid_request_error"),
    (Refusal("insufficient_quota", "no"), 429, "rate_limit_error"),
    (Refusal("overloaded", "no"), 529, "overloaded_error"),
    (Refusal("draining", "no"), 503, "api_error"),
    (Failure("unavailable", "upstream_overloaded", "no"), 529, "overloaded_error"),
    (Failure("unavailable", "upstream_error", "no"), 502, "api_error"),
    (Failure("timeout", "upstream_timeout", "no"), 504, "timeout_error"),
]


@pytest.mark.parametrize(("no", "status", "kind"), ERRORS, ids=[no.code.name for no, *_ in ERRORS])
def test_errors_as_anthropics_client_reads_them(
    no: Refusal | Failure, status: int, kind: str
) -> None:
    assert plug.status(no) == status
    answer = httpx2.Response(status, content=plug.error(no, "req_1"))
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    client = anthropic.Anthropic(api_key="x", base_url="http://x", http_client=http, max_retries=0)
    with pytest.raises(anthropic.APIStatusError) as raised:
        client.messages.create(model="m", max_tokens=1, messages=[])
    assert raised.value.status_code == status
    assert raised.value.body == {
        "type": "error",
        "error": {"type": kind, "message": "no"},
        "request_id": "req_1",
    }


def test_an_error_in_a_stream_is_raised_by_the_client() -> None:
    event = plug.error_event(Failure("interrupted", "upstream_interrupted", "cut"), "req_1", 0)
    kind = {"content-type": "text/event-stream"}
    answer = httpx2.Response(200, content=event, headers=kind)
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    client = anthropic.Anthropic(api_key="x", base_url="http://x", http_client=http)
    with (
        pytest.raises(anthropic.APIStatusError, match="cut"),
        client.messages.stream(model="m", max_tokens=1, messages=[]) as stream,
    ):
        stream.get_final_message()
