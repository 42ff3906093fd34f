"""LiteLLM's budgets in our periods: the same amount, forgotten at the same moment."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.litellm_budget import EVER_S, Budget, budget_of, moment_s, nanousd
from tidegate.config.moving import Findings
from tidegate.core.periods import period_at

NOW_S = datetime(2026, 11, 18, 10, tzinfo=UTC).timestamp()  # a Wednesday
DAY_S = 86_400.0


def at(*when: int) -> datetime:
    """As LiteLLM's columns have it: of UTC, without saying so."""
    return datetime(*when)  # type: ignore[arg-type,misc]


def budget(now_s: float = NOW_S, **row: Any) -> Budget | None:
    return budget_of(row, "keys", now_s, Findings())


@pytest.mark.parametrize(
    ("duration", "reset", "unit"),
    [
        ("1d", at(2026, 11, 19), "day"),
        ("24h", at(2026, 11, 19), "day"),
        ("daily", at(2026, 11, 19), "day"),
        ("7d", at(2026, 11, 23), "week"),
        ("1w", at(2026, 11, 23), "week"),
        ("30d", at(2026, 12, 1), "month"),
        ("monthly", at(2026, 12, 1), "month"),
        ("1mo", at(2026, 12, 1), "month"),
        ("1h", at(2026, 11, 18, 11), "hour"),
        ("3mo", at(2027, 1, 1), "quarter"),
        ("30d", None, "month"),
        (None, None, "lifetime"),
    ],
)
def test_what_ends_with_a_period_of_the_calendar_is_one(
    duration: str | None, reset: datetime | None, unit: str
) -> None:
    found = budget(max_budget=5.0, budget_duration=duration, budget_reset_at=reset)
    start_s = period_at(unit, "UTC", NOW_S).start_s or EVER_S  # type: ignore[arg-type]
    assert found == Budget(5 * 10**9, unit, None, True, (50, 80, 100), start_s)  # type: ignore[arg-type]


@given(days=st.integers(1, 300), left_s=st.floats(60, DAY_S * 0.9))
def test_what_ends_at_another_moment_rolls_on_and_is_forgotten_then(
    days: int, left_s: float
) -> None:
    reset_s = NOW_S + left_s
    reset = datetime.fromtimestamp(reset_s, UTC).replace(tzinfo=None)
    found = budget(max_budget=1.0, budget_duration=f"{days}d", budget_reset_at=reset)
    assert found is not None
    if found.rolling_s is None:
        assert found.unit is not None
        assert abs(period_at(found.unit, "UTC", NOW_S).end_s - reset_s) <= 60
        return
    assert found.rolling_s == days * DAY_S
    assert found.at_s + found.rolling_s == pytest.approx(reset_s, abs=0.01)


def test_what_should_have_been_forgotten_counts_no_more() -> None:
    found = budget(max_budget=1.0, budget_duration="1d", budget_reset_at=at(2026, 11, 18))
    assert found is not None
    assert found.at_s < period_at("day", "UTC", NOW_S).start_s


def test_a_soft_budget_alerts_and_one_of_nothing_refuses() -> None:
    found = budget(max_budget=10.0, soft_budget=6.0)
    assert found is not None and found.alerts == (50, 60, 80, 100)
    found = budget(soft_budget=6.0)
    assert found is not None and (found.hard, found.amount_nanousd) == (False, 6 * 10**9)
    found = budget(max_budget=0.0)
    assert found is not None and (found.hard, found.amount_nanousd) == (True, 1)
    assert budget(max_budget=-1.0) == found
    assert nanousd(-1.0) is None


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), True])
def test_what_is_no_amount_is_no_budget(value: object) -> None:
    assert nanousd(value) is None
    assert budget(max_budget=value) is None


@given(st.decimals(0, 10**6, places=9))
def test_dollars_are_exact_to_the_nano_dollar(dollars: Decimal) -> None:
    exact = int(dollars * 10**9)
    near = nanousd(float(dollars))
    assert near is not None
    assert abs(near - exact) <= 1 + exact // 10**15


def test_a_duration_that_is_none_is_a_day_as_it_is_there() -> None:
    found = budget(max_budget=1.0, budget_duration="fortnight")
    assert found is not None and found.unit == "day"


def test_moments_are_of_utc() -> None:
    assert moment_s(at(2026, 11, 18, 10)) == NOW_S
    assert moment_s(datetime.fromtimestamp(NOW_S, UTC) + timedelta(hours=1)) == NOW_S + 3600
    assert moment_s("2026-11-18") is None
