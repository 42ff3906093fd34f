"""LiteLLM's fields are taken, said to be left, or refused by name."""

from decimal import Decimal

import msgspec
import pytest
from msgspec import UNSET, Raw

from tidegate.control.errors import ApiError
from tidegate.control.litellm_fields import (
    Fields,
    LimitFields,
    budget_period,
    duration_s,
    limits_of,
    limits_shown,
    period_shown,
    take,
    usd,
)
from tidegate.core.declared_budgets import Period
from tidegate.core.key_limits import KeyLimits


def fields(text: str) -> Fields:
    return msgspec.json.decode(text, type=dict[str, Raw])


def test_what_is_known_is_taken_and_what_is_harmless_is_said_to_be_left() -> None:
    given = (
        '{"max_budget": 0.1, "rpm_limit": null, "user_id": "u", "aliases": {}, "blocked": false}'
    )
    asked, left = take(fields(given), LimitFields)
    assert (asked.max_budget, asked.rpm_limit, asked.tpm_limit) == (Decimal("0.1"), None, UNSET)
    assert left == ["user_id"]


@pytest.mark.parametrize("given", ['{"guardrails": ["pii"]}', '{"rpm": 5}', '{"blocked": true}'])
def test_what_would_have_meant_something_is_refused_by_its_name(given: str) -> None:
    with pytest.raises(ApiError, match="is not supported here") as refused:
        take(fields(given), LimitFields)
    assert next(iter(fields(given))) in str(refused.value)


def test_limits_change_where_something_is_said_and_end_where_it_is_null() -> None:
    before = KeyLimits(5, "month", None, 60, 100, 2)
    asked = LimitFields(rpm_limit=None, tpm_limit=200)
    assert limits_of(asked, before) == KeyLimits(5, "month", None, None, 200, 2)
    assert limits_of(LimitFields(max_budget=None), before) == KeyLimits(
        requests_per_minute=60, tokens_per_minute=100, max_parallel_requests=2
    )
    asked = LimitFields(max_budget=Decimal("7.5"), budget_duration="12h")
    assert limits_of(asked) == KeyLimits(7_500_000_000, None, 43_200.0)
    assert limits_of(LimitFields(max_budget=Decimal(5))) == KeyLimits(5 * 10**9, "lifetime")


@pytest.mark.parametrize(
    "asked",
    [
        LimitFields(budget_duration="30d"),
        LimitFields(max_budget=Decimal(0), budget_duration="30d"),
        LimitFields(max_budget=Decimal("NaN"), budget_duration="30d"),
        LimitFields(max_budget=Decimal(5), budget_duration="2mo"),
        LimitFields(rpm_limit=0),
        LimitFields(tpm_limit=-5),
        LimitFields(max_parallel_requests=10**16),
    ],
)
def test_a_limit_that_cannot_hold_is_refused(asked: LimitFields) -> None:
    with pytest.raises(ApiError):
        limits_of(asked)


def test_money_is_an_exact_number_in_json() -> None:
    shown = limits_shown(KeyLimits(123_456_789_123_456_789, "month"))
    assert msgspec.json.encode(shown["max_budget"]) == b"123456789.123456789"
    assert msgspec.json.encode(usd(0)) == b"0.00"
    assert limits_shown(None)["max_budget"] is None


def test_periods_and_lives_in_litellm_s_words() -> None:
    for text, unit in (("1d", "day"), ("24h", "day"), ("7d", "week"), ("30d", "month")):
        assert budget_period(text) == Period(unit=unit)
    assert budget_period("1mo") == budget_period("month") == Period(unit="month")
    assert budget_period("45d") == Period(rolling_s=3_888_000.0)
    units = ("day", "week", "month", "year", "lifetime")
    assert [period_shown(unit, None) for unit in units] == ["1d", "7d", "30d", "year", None]
    assert [period_shown(None, s) for s in (3_888_000.0, 90.0, None)] == ["45d", "90s", None]
    assert period_shown(None, 2_592_000.0) == "2592000s"  # it rolls on, and 30d does not
    assert duration_s("30d") == 2_592_000.0
    for wrong in ("0s", "4000d", "soon"):
        with pytest.raises(ApiError):
            duration_s(wrong)
