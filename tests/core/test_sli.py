"""What a request is to each indicator, by the closed list of codes and by who ended it."""

from typing import Any

import pytest

from tidegate.core.outcome import CODES
from tidegate.core.probe import PROBE
from tidegate.core.receipt import Attempt, Receipt
from tidegate.core.sli import (
    LATENCIES,
    SLIS,
    Patience,
    is_unsent_copy,
    judged,
    judged_copy,
    latencies,
)
from tidegate.core.turn_bound import TurnBound


def made(**fields: Any) -> Receipt:
    plain: dict[str, Any] = {
        "id": "1",
        "started_at_s": 1.8e9,
        "gateway": "g0",
        "endpoint": "chat",
        "key_id": "k",
        "stream": True,
        "target": "first",
        "ttft_s": 0.5,
        "total_s": 4.0,
        "finish_reason": "stop",
        "attempts": [Attempt("first", "r", 0.0)],
    }
    return Receipt(**plain | fields)


def left(**fields: Any) -> Receipt:
    return made(error_code="client_closed", error_fault="caller", cancelled_by="client", **fields)


def failed(code: str, **fields: Any) -> Receipt:
    return made(error_code=code, error_fault=CODES[code].fault, **fields)


def test_a_plain_stream_is_good_wherever_it_counts() -> None:
    assert judged(made()) == dict.fromkeys(
        ("availability", "abandon", "fallback", "integrity"), True
    )
    assert latencies(made()) == {"ttft": 0.5, "total_time": 4.0, "turn_time": 4.0}
    assert set(judged(made(priority="batch", validity="valid"))) == set(SLIS)
    assert set(latencies(made())) == set(LATENCIES)


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_only_a_provider_s_or_our_own_failure_is_bad(code: Any) -> None:
    found = judged(failed(code.name, ttft_s=None, priority="batch"))
    if code.name == "client_closed":
        assert found == {"abandon": False, "availability": False}  # after four seconds of nothing
    elif code.fault in ("caller", "policy"):
        assert found == {}
    else:
        assert found == {"availability": False, "batch": False}


def test_a_code_of_another_version_is_as_it_was_written_down() -> None:
    assert judged(made(error_code="new", error_fault="policy")) == {}
    assert judged(made(error_code="new", error_fault="provider"))["availability"] is False
    assert judged(made(error_code="new"))["availability"] is False


@pytest.mark.parametrize(
    "fields",
    [
        {"purpose": PROBE, "key_id": None},
        {"purpose": "eval"},
        {"purpose": "evaluation"},
        {"purpose": "shadow"},
        {"arm": "shadow"},
        {"shadow_of": "2"},
    ],
)
@pytest.mark.parametrize("code", [None, "upstream_error"])
def test_what_is_no_user_s_is_nobody_s_objective(fields: dict[str, Any], code: str | None) -> None:
    receipt = made(error_code=code, error_fault=code and "provider", **fields)
    assert not receipt.is_production
    assert judged(receipt) == {} == latencies(receipt)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, {}),
        ({"validity": "valid"}, {"validity": True}),
        ({"validity": "malformed", "error_code": "upstream_invalid_answer"}, {"validity": False}),
    ],
)
def test_a_copy_is_judged_by_its_contract_alone(fields: dict[str, Any], found: Any) -> None:
    assert judged_copy(made(arm="shadow", **fields)) == found


def test_a_copy_that_was_not_sent_is_told_from_what_a_target_of_a_user_s_refuses() -> None:
    assert is_unsent_copy(made(arm="shadow", error_code="route_off", cost_nanousd=0))
    assert not is_unsent_copy(made(arm="shadow", error_code="route_off", cost_nanousd=None))
    assert not is_unsent_copy(made(arm="shadow", error_code="upstream_error", cost_nanousd=0))
    assert not is_unsent_copy(made(error_code="route_off", cost_nanousd=0))


def test_a_key_s_own_requests_count_even_where_they_call_themselves_probes() -> None:
    assert judged(made(purpose=PROBE))["availability"] is True


@pytest.mark.parametrize(
    ("waited_s", "stream", "found"),
    [
        (2.9, True, {"abandon": False}),
        (3.0, True, {"abandon": False}),
        (3.1, True, {"abandon": False, "availability": False}),
        (29.0, False, {"abandon": False}),
        (31.0, False, {"abandon": False, "availability": False}),
        (None, True, {"abandon": False}),
    ],
)
def test_a_client_that_leaves_is_our_failure_only_after_the_target(
    waited_s: float | None, stream: bool, found: dict[str, bool]
) -> None:
    assert judged(left(ttft_s=None, total_s=waited_s, stream=stream)) == found


def test_a_client_that_stops_an_answer_which_comes_says_nothing_of_availability() -> None:
    assert judged(left(total_s=20.0, interrupted=True)) == {"abandon": False}
    assert latencies(left(total_s=20.0)) == {"ttft": 0.5}


def test_patience_is_the_objective_s_own() -> None:
    receipt = left(ttft_s=None, total_s=5.0)
    assert judged(receipt, Patience(first_token_s=10.0)) == {"abandon": False}
    assert latencies(receipt, Patience(first_token_s=10.0)) == {}


@pytest.mark.parametrize(("ceiling", "is_ours"), [(None, True), (100, True), (1000, False)])
def test_who_waits_for_a_whole_answer_waits_for_as_long_as_it_may_be(
    ceiling: int | None, is_ours: bool
) -> None:
    patience = Patience(whole_s=30.0, turn=TurnBound(2.0, 0.05))
    receipt = left(ttft_s=None, total_s=40.0, stream=False, output_ceiling_tokens=ceiling)
    assert (judged(receipt, patience) == {"abandon": False, "availability": False}) is is_ours


@pytest.mark.parametrize(
    ("code", "total_s", "ttft_s"),
    [
        ("upstream_timeout", 60.0, 60.0),
        ("upstream_unreachable", 0.2, None),
        ("rate_limit_exceeded", 60.0, None),
        ("client_closed", 8.0, 8.0),
        ("client_closed", 1.0, None),
    ],
)
def test_a_first_token_that_was_waited_for_in_vain_is_no_quicker_than_the_wait(
    code: str, total_s: float, ttft_s: float | None
) -> None:
    receipt = failed(code, total_s=total_s, ttft_s=None)
    assert latencies(receipt).get("ttft") == ttft_s
    assert "total_time" not in latencies(receipt)
    assert "ttft" not in latencies(failed(code, total_s=total_s, ttft_s=None, stream=False))


def test_a_turn_has_its_application_s_own_part_and_embeddings_are_none() -> None:
    assert latencies(made(retrieval_s=1.0, tool_s=2.5))["turn_time"] == 7.5
    embedding = made(endpoint="embeddings", stream=False, ttft_s=None)
    assert latencies(embedding) == {"total_time": 4.0}


def test_a_stream_that_broke_off_is_neither_whole_nor_available() -> None:
    cut = failed("upstream_interrupted", interrupted=True, validity="interrupted")
    assert judged(cut) == {"availability": False, "integrity": False}
    assert judged(made(interrupted=True))["availability"] is False
    assert judged(made(validity="duplicate_terminator"))["integrity"] is False
    assert "integrity" not in judged(made(stream=False, ttft_s=None))
    assert "integrity" not in judged(failed("upstream_error", ttft_s=None))


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({"validity": "valid"}, True),
        ({"validity": "schema_violation"}, False),
        ({"validity": "malformed"}, False),
        ({"validity": "empty"}, False),
        ({"validity": "truncated"}, False),
        ({"validity": "truncated", "output_ceiling_tokens": 20}, None),
        ({"validity": "interrupted"}, None),
        ({"validity": None}, None),
    ],
)
def test_validity(fields: dict[str, Any], valid: bool | None) -> None:
    assert judged(made(**fields)).get("validity") is valid


def test_an_answer_that_was_withheld_for_its_contract_was_invalid_all_the_same() -> None:
    found = judged(failed("upstream_invalid_answer", validity="schema_violation", ttft_s=None))
    assert found == {"availability": False, "validity": False}


@pytest.mark.parametrize(
    ("fields", "first_choice"),
    [
        ({}, True),
        ({"attempts": [Attempt("first", "r", 0.0), Attempt("first", "s", 1.0)]}, True),
        ({"attempts": [Attempt("other", "r", 0.0), Attempt("first", "s", 1.0)]}, False),
        ({"passed_over": True}, False),
        ({"attempts": []}, True),
    ],
)
def test_fallback(fields: dict[str, Any], first_choice: bool) -> None:
    assert judged(made(**fields))["fallback"] is first_choice
    assert "fallback" not in judged(failed("upstream_error", **fields))


def test_only_batch_requests_are_to_be_completed() -> None:
    assert judged(made(priority="batch"))["batch"] is True
    assert judged(failed("draining", priority="batch"))["batch"] is False
    assert "batch" not in judged(made(priority="standard"))
    assert "batch" not in judged(left(priority="batch"))


@pytest.mark.parametrize("kind", ["handover", "apology"])
def test_what_was_made_up_is_a_request_that_was_not_served(kind: str) -> None:
    found = made(rung="r", rung_kind=kind, rung_reason="unavailable")
    assert judged(found) == {"availability": False}
    assert latencies(found) == {}


def test_what_a_budget_has_made_up_is_nobodys_failure() -> None:
    assert judged(made(rung="r", rung_kind="apology", rung_reason="budget")) == {}
    no = {"error_code": "batch_only", "error_fault": "gateway", "rung": "r"}
    assert judged(made(rung_kind="batch_only", rung_reason="budget", **no)) == {}
    of_outage = judged(made(rung_kind="batch_only", rung_reason="unavailable", ttft_s=None, **no))
    assert of_outage == {"availability": False}


def test_an_answer_of_a_rung_is_no_first_choice() -> None:
    found = judged(made(rung="r", rung_kind="model", rung_reason="slow_answer"))
    assert (found["availability"], found["fallback"]) == (True, False)
