"""Google's errors: whose fault, whether to wait, and what the caller may read."""

from pathlib import Path

import msgspec
import pytest

from tidegate.core.outcome import Failure
from tidegate.providers._gemini_error import failure_in_answer, fault
from tidegate.providers._openai_error import MAX_RETRY_AFTER_S

BYTES = Path(__file__).resolve().parent.parent / "bytes/gemini"
NOW_S = 1_790_000_000.0


def of(name: str, status: int, headers: dict[str, str] | None = None) -> Failure:
    return fault(status, headers or {}, (BYTES / f"{name}.json").read_bytes(), NOW_S)


def test_a_bad_key_is_told_as_a_bad_request_and_is_ours() -> None:
    failure = of("bad_key", 400)
    assert (failure.kind, failure.code.name, failure.status) == (
        "unavailable",
        "upstream_auth",
        502,
    )
    assert "API key" not in failure.message


def test_an_account_that_may_not_ask_is_ours() -> None:
    told = {"code": 400, "message": "User location is not supported for the API use."}
    body = msgspec.json.encode({"error": {**told, "status": "FAILED_PRECONDITION"}})
    assert fault(400, {}, body, NOW_S).code.name == "upstream_auth"


def test_what_the_caller_did_is_shown_to_the_caller() -> None:
    failure = of("error", 400)
    assert (failure.kind, failure.status) == ("rejected", 400)
    assert "generation_config.temperature" in failure.message


def test_too_long_a_prompt_is_told_apart() -> None:
    assert (of("overflow", 400).kind, of("overflow", 400).code.name) == (
        "overflow",
        "context_length_exceeded",
    )


def test_the_wait_stands_in_the_body() -> None:
    assert of("throttled", 429).retry_after_s == pytest.approx(34.074824224)
    assert of("throttled", 429, {"retry-after": "7"}).retry_after_s == 7.0


@pytest.mark.parametrize(
    ("delay", "wait_s"), [("x", None), ("-3s", 0.0), ("nans", None), ("1e9s", MAX_RETRY_AFTER_S)]
)
def test_a_wait_is_honoured_within_bounds(delay: str, wait_s: float | None) -> None:
    body = msgspec.json.encode({"error": {"details": [{"reason": None}, {"retryDelay": delay}]}})
    assert fault(503, {}, body, NOW_S).retry_after_s == wait_s


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b"[[]]", b"{}", b'{"error":7}', b"[" * 100_000, b"<html>no</html>"],
)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "rejected_by_provider"),
        (401, "upstream_auth"),
        (403, "upstream_auth"),
        (404, "upstream_error"),
        (429, "upstream_rate_limited"),
        (500, "upstream_error"),
        (503, "upstream_overloaded"),
        (504, "upstream_timeout"),
    ],
)
def test_without_a_readable_body_the_status_decides(body: bytes, status: int, code: str) -> None:
    failure = fault(status, {}, body, NOW_S)
    assert failure.code.name == code
    assert "<html" not in failure.message


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, "upstream_rate_limited"),
        ({"code": 503, "message": "The model is overloaded."}, "upstream_overloaded"),
        ({"code": 504}, "upstream_timeout"),
        ({"code": 500, "message": "sk-aaaaaaaaaaaaaaaaaaaa"}, "upstream_error"),
        ({"code": 200}, "upstream_error"),
        ({"code": "x"}, "upstream_error"),
        ("text", "upstream_error"),
        ([1], "upstream_error"),
    ],
)
def test_an_error_in_an_answer_means_what_its_code_says(told: object, code: str) -> None:
    failure = failure_in_answer(told)
    assert failure.code.name == code
    assert "sk-" not in failure.message


def test_no_key_of_theirs_comes_through() -> None:
    body = b'{"error":{"message":"key AIzaSyA1234567890abcdefghijklmnopqrstuv is bad"}}'
    assert fault(400, {}, body, NOW_S).message == "key [redacted] is bad"
