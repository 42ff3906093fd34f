"""What a provider's error says, in each of the shapes that they have, and when to try again."""

import msgspec
import pytest
from tests.providers.streams import asked, sent

from tidegate.core.outcome import Failure
from tidegate.providers import openai_compatible
from tidegate.providers._openai_error import (
    ENDS_NOTHING,
    MAX_MESSAGE_CHARS,
    MAX_RETRY_AFTER_S,
    broken_off,
    failure_in_answer,
    failure_of,
    retry_after_s,
)
from tidegate.providers._openai_stream import OpenAIStreamReader

NOW_S = 1_790_000_000.0  # 21 September 2026, 14:13:20 UTC


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "999999"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "inf"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "later"}, None),
        ({"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30.0),
        ({"retry-after": "Mon, 21 Sep 2026 14:13:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 21 Sep 2096 14:13:50 GMT"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "Fri, 99 Sep 2096 14:13:50 GMT"}, None),
        ({"retry-after": "Fri, 21 Sep 99999999999999999999 14:13:50 GMT"}, None),
        ({"retry-after": "Fri, 21 Sep 2096 14:13:50 +99999999999999999999"}, None),
    ],
)
def test_a_wait_is_honoured_within_bounds(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers, NOW_S) == wait_s
    assert failure_of(429, headers, b"", NOW_S).retry_after_s == wait_s


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        (b'{"error":{"message":"no","param":"p"}}', "no", "p"),
        (b'{"error":"no"}', "no", None),
        (b'{"object":"error","message":"no","param":"p","code":400}', "no", "p"),
        (b'{"detail":"no"}', "no", None),
        (b'{"detail":[{"msg":"no"}]}', '[{"msg":"no"}]', None),
        (b"<html>no</html>", "the provider rejected the request (400)", None),
        (b'{"error":{"message":"\xff"}}', "the provider rejected the request (400)", None),
        (b'{"object":"error","message":{"detail":["no"]}}', '{"detail":["no"]}', None),
        (b'{"code":"Client specified an invalid argument","error":"no"}', "no", None),
        (b'{"error":[1]}', "the provider rejected the request (400)", None),
        (b"[" * 100_000, "the provider rejected the request (400)", None),
    ],
)
def test_the_message_is_found_in_each_shape(body: bytes, message: str, param: str | None) -> None:
    failure = failure_of(400, {}, body, NOW_S)
    assert (failure.message, failure.param) == (message, param)


@pytest.mark.parametrize(
    "told",
    [
        {"message": "filtered", "code": "content_filter"},
        {"message": "filtered", "code": "content_policy_violation"},
        {"message": "filtered", "code": "moderation_blocked"},
        {"message": "Invalid prompt: your prompt was flagged", "code": "invalid_prompt"},
        {"message": "Invalid prompt: limited for safety reasons", "code": "invalid_prompt"},
    ],
)
def test_a_refusal_by_safety_rules_is_told_apart(told: dict[str, str]) -> None:
    for failure in (
        failure_of(400, {}, msgspec.json.encode({"error": told}), NOW_S),
        failure_in_answer(told),
    ):
        assert (failure.kind, failure.code.name) == ("refused_by_safety", "rejected_by_provider")


def test_a_prompt_that_cannot_be_read_is_not_refused_by_safety() -> None:
    told = {"message": "Invalid prompt: no messages", "code": "invalid_prompt"}
    assert failure_of(400, {}, msgspec.json.encode({"error": told}), NOW_S).kind == "rejected"


def test_no_secret_and_no_flood_comes_through() -> None:
    secret = b"sk-proj-abcdefghijklmnop"
    body = b'{"error":{"message":"' + b"x " * 5000 + b'"}}'
    assert len(failure_of(400, {}, body, NOW_S).message) == MAX_MESSAGE_CHARS
    shown = failure_of(400, {}, b'{"error":{"message":"key %b"}}' % secret, NOW_S).message
    assert shown == "key [redacted]"


def test_a_refused_credential_is_never_the_callers() -> None:
    failure = failure_of(401, {}, b'{"error":{"message":"Incorrect API key provided"}}', NOW_S)
    assert failure.status == 502
    assert "Incorrect" not in failure.message


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (402, "unavailable", "upstream_auth"),
        (408, "timeout", "upstream_timeout"),
        (429, "rate_limited", "upstream_rate_limited"),
        (502, "unavailable", "upstream_error"),
        (503, "unavailable", "upstream_overloaded"),
    ],
)
def test_a_number_in_a_good_status_is_one_of_http(number: int, kind: str, code: str) -> None:
    failure = failure_in_answer({"code": number, "message": "sk-aaaaaaaaaaaaaaaaaaaa"})
    assert (failure.kind, failure.code.name) == (kind, code)
    assert "sk-" not in failure.message


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("stop", None),
        ("length", None),
        ("", None),
        ("error", "upstream_error"),
        ("network_error", "upstream_error"),
        ("abort", "upstream_interrupted"),
        ("insufficient_system_resource", "upstream_overloaded"),
    ],
)
def test_a_finish_reason_may_end_nothing(word: str, code: str | None) -> None:
    failure = broken_off(word) if word in ENDS_NOTHING else None
    assert (failure and failure.code.name) == code
    choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": word or None}
    reader = OpenAIStreamReader(asked(stream=True))
    shown = reader.feed(sent({"choices": [choice]}))
    assert bool(shown) == (failure is None) == (reader.failure is None)
    body = {"choices": [{"message": {"content": "a"}, "finish_reason": word or None}]}
    if failure is None:
        assert openai_compatible.plug.read_answer(asked(), msgspec.json.encode(body))
        return
    with pytest.raises(Failure) as failed:
        openai_compatible.plug.read_answer(asked(), msgspec.json.encode(body))
    assert failed.value.code.name == code


def test_what_an_operator_has_to_mend_is_not_called_an_overload() -> None:
    said = b'{"error": {"message": "pip install it", "code": "provider_not_installed"}}'
    found = failure_of(503, {}, said, 0.0)
    assert (found.kind, found.code.name) == ("unavailable", "upstream_error")
    assert "not installed" in found.message
    assert "no such model" in failure_of(404, {}, b"", 0.0).message
