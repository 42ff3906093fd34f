"""What a provider's error says, in each of the shapes that they have, and when to try again."""

import msgspec
import pytest

from tidegate.providers._openai_error import (
    MAX_MESSAGE_CHARS,
    MAX_RETRY_AFTER_S,
    failure_in_answer,
    failure_of,
    retry_after_s,
)

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
