"""What Anthropic's errors mean."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tidegate.providers._anthropic_error import failure_in_answer, fault

BYTES = Path(__file__).resolve().parent.parent / "bytes" / "anthropic"


@pytest.mark.parametrize(
    ("status", "kind", "code", "shown"),
    [
        (400, "rejected", "rejected_by_provider", 400),
        (401, "unavailable", "upstream_auth", 502),
        (403, "unavailable", "upstream_auth", 502),
        (404, "unavailable", "upstream_error", 502),
        (413, "rejected", "rejected_by_provider", 413),
        (429, "rate_limited", "upstream_rate_limited", 429),
        (500, "unavailable", "upstream_error", 502),
        (504, "timeout", "upstream_timeout", 504),
        (529, "unavailable", "upstream_overloaded", 503),
    ],
)
def test_each_fault_means_what_its_status_says(
    status: int, kind: str, code: str, shown: int
) -> None:
    for body in ((BYTES / "error.json").read_bytes(), b"", b"\xff", b"[]", b'{"error":5}'):
        failure = fault(status, {"retry-after": "7"}, body, 0.0)
        assert (failure.kind, failure.code.name, failure.status) == (kind, code, shown)
        assert failure.retry_after_s == (7.0 if status in (429, 529) else None)


@pytest.mark.parametrize("name", ["overflow.json", "overflow_asked.json"])
def test_too_long_a_context_is_told_apart(name: str) -> None:
    failure = fault(400, {}, (BYTES / name).read_bytes(), 0.0)
    assert (failure.kind, failure.code.name) == ("overflow", "context_length_exceeded")


def test_our_own_account_is_not_the_callers_fault() -> None:
    failure = fault(400, {}, (BYTES / "no_credit.json").read_bytes(), 0.0)
    assert (failure.kind, failure.code.name) == ("unavailable", "upstream_auth")
    assert "credit" not in failure.message


@pytest.mark.parametrize(
    ("told", "kind", "code"),
    [
        ({"type": "overloaded_error", "message": "x"}, "unavailable", "upstream_overloaded"),
        ({"type": "rate_limit_error"}, "rate_limited", "upstream_rate_limited"),
        ({"type": "timeout_error"}, "timeout", "upstream_timeout"),
        ({"type": "authentication_error"}, "unavailable", "upstream_auth"),
        ({"type": "api_error"}, "unavailable", "upstream_error"),
        ({"type": 5}, "unavailable", "upstream_error"),
        ("text", "unavailable", "upstream_error"),
        (None, "unavailable", "upstream_error"),
    ],
)
def test_an_error_inside_a_good_status(told: Any, kind: str, code: str) -> None:
    failure = failure_in_answer(told)
    assert (failure.kind, failure.code.name) == (kind, code)


def test_its_content_filter_is_told_apart_by_its_words() -> None:
    told = {
        "type": "invalid_request_error",
        "message": "Output blocked by content filtering policy",
    }
    body = msgspec.json.encode({"type": "error", "error": told})
    for failure in (fault(400, {}, body, 0.0), failure_in_answer(told)):
        assert (failure.kind, failure.code.name) == ("refused_by_safety", "rejected_by_provider")
