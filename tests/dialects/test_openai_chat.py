"""OpenAI's chat as a dialect: whole answers, errors, and the way through and back."""

from typing import Any

import msgspec
import openai.types.chat
import pytest
from tests.dialects.grammar import STAMP, ask_of

from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Refused, Text, ToolCall
from tidegate.core.outcome import Excess, Failure, Refusal
from tidegate.core.spoken import Choice, Spoken
from tidegate.dialects.openai_chat import plug

ASK = ask_of({"messages": []})


def whole(*choices: Choice, usage: Usage | None = None, **more: Any) -> dict[str, Any]:
    spoken = Spoken(usage=usage, choices=list(choices), **more)
    told = msgspec.json.decode(plug.whole(ASK, STAMP, spoken))
    openai.types.chat.ChatCompletion.model_validate(told)
    return told


def test_a_whole_answer() -> None:
    parts: list[Any] = [
        Reasoning("hm", "s+/=", None, "anthropic"),
        Text("Hel"),
        Text("lo"),
        ToolCall("a", "f", '{"x": 1.50}'),
        ToolCall("", "g", "{}", "c2ln", "gemini"),
    ]
    told = whole(Choice(parts, "tool_calls"), usage=Usage(5, 1, None, 2), id="i", model="served")
    assert (told["id"], told["model"], told["created"]) == ("i", "served", 1_795_000_000)
    (choice,) = told["choices"]
    assert (choice["index"], choice["finish_reason"]) == (0, "tool_calls")
    message = choice["message"]
    assert (message["content"], message["reasoning_content"]) == ("Hello", "hm")
    assert [(c["id"], c["function"]["name"]) for c in message["tool_calls"]] == [
        ("a", "f"),
        ("call_0198c0de_1", "g"),
    ]
    assert message["tool_calls"][0]["function"]["arguments"] == '{"x": 1.50}'
    assert [one["format"] for one in message["reasoning_details"]] == [
        "anthropic-claude-v1",
        "google-gemini-v1",
    ]
    assert told["usage"]["prompt_tokens"] == 6


def test_what_was_refused_and_what_nobody_counted() -> None:
    told = whole(Choice([Refused("no")], "refusal"), Choice([], "stop"))
    message = told["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "no")
    assert told["choices"][1]["message"]["content"] is None
    assert "usage" not in told and told["id"] == "chatcmpl-0198c0de"


def test_a_message_comes_back_as_it_was() -> None:
    """What a client is given and sends back says the same to a model as before."""
    parts: list[Any] = [
        Reasoning("hm", "s+/=", None, "anthropic"),
        Reasoning("", None, "EmwK", "anthropic"),
        Text("Hello"),
        ToolCall("a", "f", '{"x": 1.50}', "c2ln", "gemini"),
    ]
    message = whole(Choice(parts, "tool_calls"))["choices"][0]["message"]
    assert plug.read(ask_of({"messages": [message]})).turns[0].parts == tuple(parts)


@pytest.mark.parametrize(
    ("no", "status", "kind"),
    [
        (Refusal("invalid_parameter", "no", param="n"), 400, "invalid_request_error"),
        (Failure("rate_limited", "upstream_rate_limited", "no"), 429, "rate_limit_error"),
        (Failure("unavailable", "upstream_overloaded", "no"), 503, "api_error"),
    ],
)
def test_errors(no: Refusal | Failure, status: int, kind: str) -> None:
    error = msgspec.json.decode(plug.error(no, "r"))["error"]
    assert error == {"message": "no", "type": kind, "param": no.param, "code": no.code.name}
    assert plug.status(no) == status
    assert plug.error_event(no, "r", 0) == b"data: %b\n\n" % plug.error(no, "r")


def test_a_limit_that_spoke_is_told() -> None:
    no = Refusal("rate_limit_exceeded", "no", excess=Excess("l", "s", 5, 4))
    error = msgspec.json.decode(plug.error(no, "r"))["error"]
    assert error["limit"] == {"limit": "l", "scope": "s", "used": 5, "allowed": 4}
