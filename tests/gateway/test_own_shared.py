"""Limits that keys bring with them are counted by several gateways together."""

import pytest
from tests.gateway.shared import store_of

from tidegate.core.key_limits import KeyLimits
from tidegate.core.receipt import Receipt
from tidegate.gateway import own_shared
from tidegate.gateway.own_shared import OwnShared
from tidegate.stores.redis_wants import Want

NOON_S = 1_790_000_000.0
MONTH = {"budget_unit": "month"}


def own() -> OwnShared:
    return OwnShared(store_of(), 900.0)


def wanted(limits: KeyLimits, of: OwnShared | None = None) -> Want:
    (it,) = (of or own()).of(limits, "aaaaaaaa")
    assert it.shared is not None
    return it.shared.want("aaaaaaaa", 1, Receipt("r", 0.0, "g", "chat", team="growth"), NOON_S)


def test_it_lies_with_the_key_s_team_and_only_a_budget_asks_the_ledger() -> None:
    rate = wanted(KeyLimits(requests_per_minute=5))
    money = wanted(KeyLimits(budget_nanousd=5, **MONTH))
    assert (rate.group, money.group) == ("growth", "growth")
    assert (rate.quota.hard, rate.quota.learns) == (False, False)
    assert (money.quota.hard, money.quota.learns) == (True, True)


def test_a_budget_that_refuses_nothing_asks_nobody_and_holds_nobody_up() -> None:
    soft = KeyLimits(budget_nanousd=5, budget_hard=False, requests_per_minute=5, **MONTH)
    (rate,) = own().of(soft, "aaaaaaaa")
    assert rate.limit.kind == "requests"


def test_another_amount_counts_on_and_another_period_does_not() -> None:
    small, large = (wanted(KeyLimits(budget_nanousd=n, **MONTH)) for n in (5, 9))
    assert (small.quota.name, small.quota.allowed) == (large.quota.name, 5)
    assert wanted(KeyLimits(budget_nanousd=5, budget_unit="day")).quota.name != small.quota.name


def test_the_same_limits_are_the_same_objects_and_few_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_shared, "MAX_OWN", 2)
    of = own()
    first = of.of(KeyLimits(requests_per_minute=1), "aaaaaaaa")
    assert of.of(KeyLimits(requests_per_minute=1), "aaaaaaaa") == first
    for n in range(2, 9):
        of.of(KeyLimits(requests_per_minute=n), "aaaaaaaa")
        assert len(of._bound) <= 2
