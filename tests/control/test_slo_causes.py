"""What is behind bad requests: who failed them, or where they lost their time."""

from typing import Any

import pytest

from tidegate.control.slo_causes import Cause, Explained, explained, is_good, phases
from tidegate.core.objective import Objective
from tidegate.core.outcome import CODES
from tidegate.core.receipt import Attempt, Receipt
from tidegate.core.signal import NoData, Signal, Value
from tidegate.core.sli import Patience

TTFT = Objective("ttft", 0.99, 3.0)
TOTAL = Objective("total_time", 0.95, 10.0)
AVAILABILITY = Objective("availability", 0.999)


def made(**fields: Any) -> Receipt:
    plain: dict[str, Any] = {
        "id": "1",
        "started_at_s": 1.8e9,
        "gateway": "g0",
        "endpoint": "chat",
        "key_id": "k",
        "stream": True,
        "target": "small",
        "attempts": [Attempt("small", "r", 0.0)],
        "ttft_s": 0.5,
        "total_s": 4.0,
        "queue_s": 0.0,
        "connect_s": 0.0,
        "gateway_s": 0.001,
        "first_token_s": 0.5,
        "generation_s": 3.5,
    }
    return Receipt(**plain | fields)


def test_an_answer_may_take_as_long_as_its_tokens_and_a_slow_one_is_known_by_its_pace() -> None:
    turns = Objective("turn_time", 0.95, 2.0, 0.05)
    long = made(output_tokens=900, generation_s=39.5, total_s=40.0)
    assert is_good(long, turns, Patience()) is True
    assert is_good(made(output_tokens=None), turns, Patience()) is None
    good = [made(output_tokens=70), long]
    first = {"first_token_s": 30.0, "output_tokens": 900, "generation_s": 39.5, "total_s": 69.5}
    pace = {"output_tokens": 100, "generation_s": 30.0, "total_s": 30.5}
    said = {"small": engine(kv_cache_usage=0.1)}
    for fields, name in ((first, "prefill"), (pace, "decode")):
        found = explained([*good, made(**fields)], turns, Patience(), said)
        assert [(one.name, one.bad) for one in found.causes] == [(name, 1)]


def failed(code: str, **fields: Any) -> Receipt:
    return made(error_code=code, error_fault=CODES[code].fault, **fields)


def engine(**values: float | None) -> list[Signal]:
    return [
        Signal(f"engine_{name}", "", "small/r", 10.0, NoData("missing") if v is None else Value(v))
        for name, v in values.items()
    ]


def one_cause(objective: Objective, receipt: Receipt, engines: list[Signal] | None = None) -> Cause:
    receipts = [made() for _ in range(9)] + [receipt]
    found = explained(receipts, objective, Patience(), {"small": engines or []})
    assert (found.judged, found.bad) == (10, 1)
    [cause] = found.causes
    assert (cause.bad, cause.share) == (1, 1.0)
    return cause


SLOW_FIRST = {"ttft_s": 9.0, "total_s": 12.5, "first_token_s": 9.0}
SLOW_REST = {"total_s": 40.0, "generation_s": 39.5}


@pytest.mark.parametrize(
    ("objective", "fields", "said", "name"),
    [
        (TTFT, {"ttft_s": 9.0, "queue_s": 8.0}, {}, "queue"),
        (TTFT, {"ttft_s": 9.0, "earlier_s": 8.0}, {}, "retries"),
        (TTFT, {"ttft_s": 9.0, "connect_s": 8.0}, {}, "provider"),
        (TTFT, {"ttft_s": 9.0, "gateway_s": 8.0}, {}, "gateway"),
        (TTFT, SLOW_FIRST, {}, "provider"),
        (TTFT, SLOW_FIRST, {"waiting": None, "kv_cache_usage": None}, "provider"),
        (TTFT, SLOW_FIRST, {"waiting": 12.0, "kv_cache_usage": 0.4}, "queue"),
        (TTFT, SLOW_FIRST, {"waiting": 12.0, "kv_cache_usage": 0.99}, "kv"),
        (TTFT, SLOW_FIRST, {"waiting": 0.0, "preemptions": 0.5}, "kv"),
        (TTFT, SLOW_FIRST, {"waiting": 0.0, "running": 3.0}, "prefill"),
        (TTFT, SLOW_FIRST, {"queue_s": 2.0, "prefill_s": 1.0}, "queue"),
        (TTFT, {**SLOW_FIRST, "generation_s": 99.0}, {"running": 3.0}, "prefill"),
        (TOTAL, SLOW_REST, {"running": 200.0, "waiting": 9.0}, "decode"),
        (TOTAL, SLOW_REST, {}, "provider"),
        (TOTAL, {**SLOW_REST, "stream": False, "first_token_s": None}, {"running": 1.0}, "decode"),
    ],
)
def test_a_slow_request_is_of_the_phase_that_took_more_than_usual(
    objective: Objective, fields: dict[str, Any], said: dict[str, float | None], name: str
) -> None:
    cause = one_cause(objective, made(**fields), engine(**said))
    assert (cause.name, cause.target) == (name, "small")


@pytest.mark.parametrize(
    ("objective", "receipt", "name", "detail"),
    [
        (AVAILABILITY, failed("upstream_timeout"), "provider", "upstream_timeout"),
        (AVAILABILITY, failed("overloaded"), "gateway", "overloaded"),
        (Objective("validity", 0.99), made(validity="schema_violation"), "answers", "schema_viol"),
        (
            Objective("validity", 0.99),
            made(validity="schema_violation", violation_rule="required"),
            "answers",
            "required",
        ),
        (Objective("integrity", 0.99), made(validity="interrupted"), "provider", "interrupted"),
        (Objective("fallback", 0.99), made(passed_over=True), "provider", "left alone"),
        (
            Objective("fallback", 0.99),
            made(attempts=[Attempt("big", "r", 0.0, failure="timeout"), Attempt("small", "r", 1)]),
            "provider",
            "timeout",
        ),
    ],
)
def test_a_failure_is_of_whom_the_closed_list_says(
    objective: Objective, receipt: Receipt, name: str, detail: str
) -> None:
    good = made(validity="valid")
    found = explained([good, receipt], objective, Patience(), {})
    [cause] = found.causes
    assert cause.name == name and cause.detail.startswith(detail)


def test_who_left_without_a_first_token_had_waited_for_the_prefill() -> None:
    gone = made(
        error_code="client_closed",
        error_fault="caller",
        cancelled_by="client",
        ttft_s=None,
        first_token_s=None,
        generation_s=7.9,
        total_s=8.0,
    )
    assert phases(gone)["prefill"] == 7.9 and "decode" not in phases(gone)
    assert one_cause(AVAILABILITY, gone, engine(running=2.0)).name == "prefill"


def test_what_does_not_count_is_not_looked_at() -> None:
    receipts = [made(purpose="eval"), made(stream=False, ttft_s=None)]
    assert explained(receipts, TTFT, Patience(), {}) == Explained(0, 0, (), ())
    assert is_good(made(endpoint="embeddings", stream=False, ttft_s=None), TTFT, Patience()) is None
    assert is_good(failed("invalid_request"), AVAILABILITY, Patience()) is None
    assert is_good(made(), TTFT, Patience()) is True


def test_a_request_of_which_no_phase_is_known_has_no_cause() -> None:
    bare = dict.fromkeys(
        ("queue_s", "connect_s", "gateway_s", "first_token_s", "generation_s"), None
    )
    assert one_cause(TTFT, made(ttft_s=9.0, **bare)).name == "unknown"


def test_what_bad_requests_have_in_common_is_told() -> None:
    good = [made(team="blue") for _ in range(70)] + [made(target="big") for _ in range(20)]
    bad = [failed("upstream_error", target="big", team="blue") for _ in range(10)]
    found = explained([*good, *bad], AVAILABILITY, Patience(), {})
    assert [(it.dimension, it.value) for it in found.excesses] == [
        ("target", "big"),
        ("team", "blue"),
    ]
    assert (found.excesses[0].bad_share, found.excesses[0].share) == (1.0, 0.3)
