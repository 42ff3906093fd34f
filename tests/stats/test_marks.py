import pytest
from tests.stats.release import receipt

from tidegate.core.harm import HARM
from tidegate.core.receipt import Attempt
from tidegate.stats.marks import BAD, BODY, SHARES, marks_of


def said(**members) -> dict[str, bool]:
    """Metric: whether the request was bad, of those that judge it."""
    marks = marks_of(receipt(**members))
    return {
        name: bool(marks >> index + BAD & 1)
        for index, name in enumerate(SHARES)
        if marks >> index & 1
    }


def bad(**members) -> set[str]:
    return {name for name, was in said(**members).items() if was}


def test_every_share_and_latency_of_a_receipt_has_its_bit():
    of_receipts = {row.name for row in HARM.values() if row.kind != "amount" and not row.is_late}
    assert of_receipts == set(SHARES) - set(BODY.values())
    assert {row.name for row in HARM.values() if row.kind == "latency"} == set(BODY)
    assert set(BODY.values()) < set(SHARES)


def test_a_good_answer_is_judged_by_all_and_bad_by_none():
    judged = said()
    assert not any(judged.values())
    assert set(judged) == set(SHARES) - set(BODY) - set(BODY.values())


@pytest.mark.parametrize("fault", ["caller", "policy"])
def test_the_callers_own_fault_is_nobodys(fault):
    assert said(error_code="x", error_fault=fault, model_refusal=None) == {}


def test_a_failure_is_an_error_and_its_answer_is_not_judged():
    found = said(
        error_code="upstream_timeout", error_fault="provider", model_refusal=None, validity=None
    )
    assert found == {"error": True, "interrupted": False, "abandon": False}


def test_a_stream_that_broke_off_is_both():
    found = {"error_code": "upstream_interrupted", "error_fault": "provider", "interrupted": True}
    assert bad(**found, validity="interrupted") == {"error", "interrupted"}


def test_who_leaves_has_abandoned_and_says_nothing_else():
    found = said(
        cancelled_by="client", error_code="client_closed", error_fault="caller", model_refusal=None
    )
    assert found == {"abandon": True}


@pytest.mark.parametrize("what", ["malformed", "schema_violation", "empty", "duplicate_terminator"])
def test_a_broken_contract_is_invalid(what):
    assert bad(validity=what) == {"invalid"}


def test_an_answer_that_no_correction_helped_is_an_error_and_invalid():
    found = {"error_code": "upstream_invalid_answer", "error_fault": "provider"}
    assert bad(**found, validity="schema_violation") == {"error", "invalid"}


def test_an_answer_at_the_limit_is_truncated_and_not_invalid():
    assert bad(finish_reason="length", validity="truncated") == {"truncated"}


@pytest.mark.parametrize("extent", ["partial", "full"])
def test_a_refusal_is_one_in_part_too(extent):
    assert bad(model_refusal=extent) == {"refusal"}


def test_a_refusal_for_which_the_provider_answers_400_is_one():
    found = {"error_code": "rejected_by_provider", "error_fault": "caller"}
    assert said(**found, model_refusal="full") == {"refusal": True}


def test_an_answer_in_which_nobody_looked_for_a_refusal_is_not_judged_by_it():
    assert "refusal" not in said(model_refusal=None)


def test_what_another_target_served_fell_back_and_a_retry_at_the_first_did_not():
    first, second = Attempt("first", "r", 0.0), Attempt("second", "r", 0.0)
    assert bad(attempts=[first, second], target="second") == {"fallback"}
    assert bad(attempts=[first, second, first], target="first") == set()


def test_what_passed_over_a_target_that_is_left_alone_fell_back_too():
    """Its breaker is open: nobody asks the release any more, and others answer for it."""
    only = Attempt("second", "r", 0.0)
    assert bad(attempts=[only], target="second", passed_over=True) == {"fallback"}


@pytest.mark.parametrize("reason", ["floor", "pressure", "budget"])
def test_what_was_lowered_before_anybody_was_asked_is_no_releases_doing(reason):
    assert said(rung="r", rung_kind="model", rung_reason=reason) == {}
    assert said(rung="r", rung_kind="apology", rung_reason=reason) == {}


def test_what_its_ladder_served_after_it_failed_is_the_arms():
    assert bad(rung="r", rung_kind="model", rung_reason="unavailable") == {"fallback"}
    assert bad(rung="r", rung_kind="apology", rung_reason="slow_answer") == {"error"}
