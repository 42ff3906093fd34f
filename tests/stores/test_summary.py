"""What a window sums up to, on both sides of what retention keeps."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from tests.stores import rig

from tidegate.core.receipt import Receipt
from tidegate.stores import database, retention, schema
from tidegate.stores.figures import Quantiles
from tidegate.stores.ledger import Ledger
from tidegate.stores.receipts import Filter
from tidegate.stores.summary import summary

DAY_S = 86_400.0
MIDNIGHT_S = rig.NOON_S // DAY_S * DAY_S


# What each of them costs of `days_of_receipts`.
WINDOWS = [
    (Filter(), 1010),
    (Filter(team="blue"), 10),
    (Filter(team="red", route="chat-fast", key_id="aaaa0000", target="small"), 1000),
    (Filter(route="other"), None),
    (Filter(since_s=MIDNIGHT_S + 3 * DAY_S, team="blue"), 7),
    (Filter(until_s=MIDNIGHT_S + 3 * DAY_S, team="blue"), 3),
    (Filter(since_s=MIDNIGHT_S + 2 * DAY_S, until_s=MIDNIGHT_S + 8 * DAY_S), 606),
]


def store(engine: Engine, *several: Receipt) -> None:
    Ledger(engine).write(rig.entries(*several), [])


def test_an_empty_ledger_says_unknown_not_nought(engine: Engine) -> None:
    empty = summary(engine, Filter())
    assert empty.sums.requests == 0
    assert empty.sums.cost_nanousd is None
    assert empty.sums.output_tokens is None
    assert empty.ttft_s == Quantiles(0, None, None, None)
    assert empty.days_from_s is None


def test_a_summary_adds_what_is_known_and_counts_what_is_not(engine: Engine) -> None:
    store(
        engine,
        rig.receipt(cost_nanousd=100, cache_read_tokens=0, reasoning_tokens=4),
        rig.receipt(cost_nanousd=None, input_tokens=None, output_tokens=None),
        rig.receipt(cost_nanousd=0, error_code="internal", interrupted=True),
        rig.receipt(cost_nanousd=None, input_tokens=None, output_tokens=None, attempts=[]),
    )
    sums = summary(engine, Filter()).sums
    assert (sums.requests, sums.errors, sums.interrupted) == (4, 1, 1)
    assert (sums.cost_nanousd, sums.cost_unknown) == (100, 1)
    assert (sums.input_tokens, sums.output_tokens, sums.tokens_unknown) == (200, 40, 1)
    assert (sums.cache_read_tokens, sums.cache_write_tokens, sums.reasoning_tokens) == (0, None, 4)


def test_what_has_no_tokens_is_not_missing_them(engine: Engine) -> None:
    store(engine, rig.receipt(endpoint="speech", input_tokens=None, output_tokens=None))
    assert summary(engine, Filter()).sums.tokens_unknown == 0


@given(st.lists(st.floats(0, 100) | st.none(), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_quantiles_are_the_values_of_nearest_rank(
    engine: Engine, values: list[float | None]
) -> None:
    with database.writing(engine) as connection:
        connection.execute(delete(schema.receipts))
    store(engine, *(rig.receipt(ttft_s=value) for value in values))
    known = sorted(value for value in values if value is not None)

    def rank(q: float) -> float | None:
        return known[math.ceil(q * len(known)) - 1] if known else None

    found = summary(engine, Filter()).ttft_s
    assert found == Quantiles(len(known), rank(0.5), rank(0.95), rank(0.99))


def test_a_window_beyond_the_bound_reads_its_newest_and_says_so(engine: Engine) -> None:
    made = [rig.receipt(rig.NOON_S + n, total_s=float(n)) for n in range(30)]
    store(engine, *made)
    part = summary(engine, Filter(), scan_rows=10)
    assert (part.sums.requests, part.complete) == (10, False)
    assert part.total_s.p50 == 24.0
    whole = summary(engine, Filter(), scan_rows=30)
    assert (whole.sums.requests, whole.complete) == (30, True)


def days_of_receipts(engine: Engine) -> None:
    """Ten days, each with a receipt at its noon that costs 1 and one of another team, 100."""
    for day in range(10):
        at_s = MIDNIGHT_S + (day + 0.5) * DAY_S
        store(engine, rig.receipt(at_s, cost_nanousd=1, total_s=float(day)))
        store(engine, rig.receipt(at_s, cost_nanousd=100, team="red", customer="acme"))


@pytest.mark.parametrize("kept_days", [0, 4, 10])
def test_a_window_costs_the_same_whatever_of_it_is_still_kept(
    engine: Engine, kept_days: int
) -> None:
    days_of_receipts(engine)
    retention.roll_off(engine, MIDNIGHT_S + (10 - kept_days) * DAY_S)
    for which, cost in WINDOWS:
        found = summary(engine, which)
        assert (found.sums.cost_nanousd, found.complete) == (cost, True), which


def test_what_is_gone_counts_by_whole_days_and_the_answer_says_from_when(engine: Engine) -> None:
    days_of_receipts(engine)
    retention.roll_off(engine, MIDNIGHT_S + 6 * DAY_S)
    since_s = MIDNIGHT_S + 3.9 * DAY_S  # after that day's receipts
    found = summary(engine, Filter(since_s=since_s, team="blue"))
    assert found.sums.requests == 7
    assert found.days_from_s == MIDNIGHT_S + 3 * DAY_S
    assert found.total_s == Quantiles(4, 7.0, 9.0, 9.0)
    kept = summary(engine, Filter(since_s=MIDNIGHT_S + 6 * DAY_S, team="blue"))
    assert (kept.sums.requests, kept.days_from_s) == (4, None)


@pytest.mark.parametrize(
    "which",
    [Filter(customer="acme"), Filter(purpose="production"), Filter(failed=True)],
    ids=["customer", "purpose", "failed"],
)
def test_what_the_days_do_not_tell_apart_is_not_guessed(engine: Engine, which: Filter) -> None:
    days_of_receipts(engine)
    assert summary(engine, which).complete
    retention.roll_off(engine, MIDNIGHT_S + 6 * DAY_S)
    found = summary(engine, which)
    assert not found.complete
    assert found.sums.requests == (0 if which.failed else 4 * (1 if which.customer else 2))


def test_days_are_not_added_to_receipts_that_were_read_in_part(engine: Engine) -> None:
    days_of_receipts(engine)
    retention.roll_off(engine, MIDNIGHT_S + 5 * DAY_S)
    part = summary(engine, Filter(), scan_rows=3)
    assert (part.sums.requests, part.complete, part.days_from_s) == (3, False, None)


@pytest.mark.parametrize(
    ("cost_nanousd", "attempts", "told"),
    [
        (0, rig.receipt().attempts, 0),
        (None, rig.receipt().attempts, None),
        (0, [], 0),
        (7, rig.receipt().attempts, 7),
    ],
    ids=["free", "unknown", "refused", "known"],
)
def test_what_is_gone_does_not_turn_unknown_into_nought(
    engine: Engine, cost_nanousd: int | None, attempts: list[object], told: int | None
) -> None:
    store(engine, rig.receipt(cost_nanousd=cost_nanousd, attempts=attempts, input_tokens=None))
    before = summary(engine, Filter()).sums
    retention.roll_off(engine, rig.NOON_S + DAY_S)
    after = summary(engine, Filter()).sums
    assert before == after
    assert (after.cost_nanousd, after.input_tokens) == (told, None)
