"""Whole answers of OpenAI's Responses, and requests that pass as they came."""

from typing import Any

import msgspec
import pytest
from tests.dialects.grammar import ask_of, target
from tests.providers.responses_wire import CALL, MESSAGE, USAGE, response

from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure
from tidegate.providers._openai_responses import encode, read_answer, usage_of

BODY = b'{ "model":"their-model", "input":[], "x":{"y":[1e3]} }'


def answer(**members: Any) -> Any:
    return read_answer(msgspec.json.encode(response(**members)))


def failed(body: bytes) -> Failure:
    with pytest.raises(Failure) as no:
        read_answer(body)
    return no.value


def test_a_body_that_needs_no_change_is_sent_as_it_came() -> None:
    ask = ask_of(BODY, "openai_responses")
    ask.model = "their-model"
    sent = encode(ask, target())
    assert (sent.path, sent.body) == (b"/responses", BODY)


def test_only_the_model_and_the_bound_change() -> None:
    body = b'{"model":"m","max_output_tokens":900,"input":"x","temperature":1.50}'
    ask = ask_of(body, "openai_responses", output_bound_tokens=64)
    sent = encode(ask, target()).body
    assert sent == (
        b'{"model":"their-model","max_output_tokens":64,"input":"x","temperature":1.50}'
    )


def test_an_answer_is_read() -> None:
    told = answer()
    assert told.usage == Usage(7, 4, 0, 3, 6)
    assert (told.finish_reason, told.model_served) == ("stop", "served")
    assert (told.provider_request_id, told.service_tier) == ("resp_up", "default")
    assert told.text == b""


@pytest.mark.parametrize(
    ("members", "finish"),
    [
        ({"output": [CALL]}, "tool_calls"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "content_filter",
        ),
        ({"status": "incomplete", "incomplete_details": None}, None),
    ],
)
def test_how_it_ended(members: dict[str, Any], finish: str | None) -> None:
    assert answer(**members).finish_reason == finish


def test_the_text_of_an_answer_without_usage_is_kept_to_be_counted() -> None:
    thought = {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "a"}],
    }
    refused = {**MESSAGE, "content": [{"type": "refusal", "refusal": "no"}]}
    told = answer(output=[thought, MESSAGE, refused, CALL], usage=None)
    assert told.usage is None
    assert told.text == b"ahigh tideno" + b'tide{"at":1}'


def test_figures_that_cannot_be_true_are_doubted() -> None:
    assert answer(usage={**USAGE, "total_tokens": 21}).usage == Usage(conflict=True)
    none = {**USAGE, "output_tokens": 0, "total_tokens": 11}
    none["output_tokens_details"] = {"reasoning_tokens": 0}
    told = answer(usage=none)
    assert (told.usage, told.text) == (Usage(conflict=True), b"high tide")
    for odd in ("x", {"input_tokens": "1"}, {"input_tokens": 1}, []):
        assert usage_of(odd) == Usage(conflict=True)
    assert usage_of(None) is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "malformed"),
        (b"[]", "malformed"),
        (b"\xff", "malformed"),
        (b"{}", "malformed"),
        (b'{"status":"completed"}', "malformed"),
        (b'{"status":"queued","output":[]}', "malformed"),
        (b'{"status":"cancelled","output":[]}', "interrupted"),
        (b'{"status":"failed","output":[]}', "interrupted"),
        (b'{"status":"failed","error":{"code":"server_error","message":"x"}}', "unavailable"),
        (
            b'{"status":"failed","error":{"code":"rate_limit_exceeded","message":"x"}}',
            "rate_limited",
        ),
        (b'{"error":{"message":"boom","code":500}}', "unavailable"),
        (b'{"output":' + b"[" * 100_000, "malformed"),
    ],
)
def test_what_is_no_answer_is_a_failure(body: bytes, kind: str) -> None:
    assert failed(body).kind == kind


def test_a_call_of_a_tool_that_is_no_function_is_told() -> None:
    custom = {"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "select 1"}
    [said] = answer(output=[custom]).said
    assert (said.calls, said.acts) == ((), True)
    [said] = answer(output=[MESSAGE, CALL]).said
    assert not said.acts
