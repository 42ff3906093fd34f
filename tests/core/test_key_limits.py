"""A key's own limits as limits that count by key."""

import pytest
from msgspec.structs import replace

from tidegate.core import plugs
from tidegate.core.key_limits import KeyLimits, budget_name, budgeted_key
from tidegate.core.plan import Limit, Raise

ALL = KeyLimits(5, "month", None, 60, 1000, 4)


def test_each_is_a_limit_by_key_and_absent_ones_are_none() -> None:
    assert KeyLimits().limits() == ()
    assert ALL.limits() == (
        Limit("key:parallel", "concurrency", 4, ("key",)),
        Limit("key:requests", "requests", 60, ("key",), per_s=60.0),
        Limit("key:tokens", "tokens", 1000, ("key",), per_s=60.0),
        Limit("key:budget", "spend", 5, ("key",), unit="month"),
    )


def test_raises_are_of_the_budget_alone() -> None:
    raises = (Raise(7, 9.0),)
    *others, budget = replace(ALL, raises=raises).limits()
    assert [one.raises for one in others] == [()] * 3
    assert budget.raises == raises


@pytest.mark.parametrize("limits", [ALL, KeyLimits(budget_nanousd=5, budget_s=86_400.0)])
def test_every_kind_of_them_counts_and_has_nothing_to_complain_of(limits: KeyLimits) -> None:
    for limit in limits.limits():
        kind = plugs.load("limits", limit.kind)
        assert kind.complaint(limit) is None
        assert kind.shape(limit) is not None


def test_a_soft_budget_alerts_and_what_alerts_is_control_s_alone() -> None:
    soft = replace(ALL, budget_hard=False, budget_alerts=(90,))
    *others, budget = soft.limits()
    assert budget == Limit("key:budget", "spend", 5, ("key",), unit="month", on_excess="alert")
    assert tuple(others) == ALL.limits()[:-1]


def test_the_name_of_a_key_s_budget_and_back() -> None:
    assert budgeted_key(budget_name("Ab3dE6gH")) == "Ab3dE6gH"
    assert budgeted_key("teams") is None
