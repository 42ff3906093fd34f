"""The closed list of codes, and how a refusal and a failure use it."""

import re
from typing import get_args

import pytest

from tidegate.core.outcome import CODES, Code, Failure, Fault, Refusal


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_every_code_says_whose_fault_and_a_status_that_fits(code: Code) -> None:
    assert CODES[code.name] is code
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code.name)
    assert code.fault in get_args(Fault)
    if code.fault in ("caller", "policy"):
        assert 400 <= code.status < 500
    if code.fault == "gateway":
        assert code.status in (500, 503)
    if code.fault == "provider":
        assert code.status in (429, 502, 503, 504)


def test_a_caller_s_mistake_is_not_to_be_sent_again() -> None:
    again = {code.name for code in CODES.values() if code.fault == "caller" and code.retry}
    assert again == {"request_timeout"}


def test_error_types_are_openai_s() -> None:
    assert {code.type for code in CODES.values()} <= {
        *("invalid_request_error", "authentication_error", "permission_error"),
        *("rate_limit_error", "api_error", "insufficient_quota"),
    }


def test_a_refusal_carries_its_code() -> None:
    refusal = Refusal("draining", "the gateway is shutting down", retry_after_s=1.0)
    assert refusal.code is CODES["draining"]
    assert str(refusal) == refusal.message
    assert refusal.retry_after_s == 1.0
    assert refusal.param is None


def test_a_failure_shows_its_code_s_status_unless_the_caller_s_request_was_rejected() -> None:
    assert Failure("timeout", "upstream_timeout", "no answer").status == 504
    rejected = Failure("rejected", "rejected_by_provider", "no", param="top_p")
    rejected.status = 422
    assert (rejected.status, rejected.code.status, rejected.param) == (422, 400, "top_p")


def test_a_code_that_is_not_on_the_list_cannot_be_used() -> None:
    with pytest.raises(KeyError):
        Refusal("made_up", "")
    with pytest.raises(KeyError):
        Failure("timeout", "made_up", "")
