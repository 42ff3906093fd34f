"""Budgets in words."""

import pytest
from msgspec.structs import replace

from tidegate.control.budget_figures import Standing
from tidegate.control.budget_views import counts, raise_view, state, view
from tidegate.core.plan import Limit
from tidegate.stores.budget_use import Used
from tidegate.stores.budgets import StoredRaise

MONTH = Limit("m", "spend", 1000, ("team",), (("route", "chat"),), unit="month")
NOW = Standing(
    replace(MONTH, alert_percents=(50, 100)), 1000, {}, 0, 0.0, 100.0, 50.0, [Used(("blue",), 400)]
)


@pytest.mark.parametrize(
    ("used", "found"),
    [
        ([], "open"),
        ([Used(("a",), 499)], "open"),
        ([Used(("a",), 500)], "alerting"),
        ([Used(("a",), 999)], "alerting"),
        ([Used(("a",), 1000)], "spent"),
    ],
)
def test_the_state_is_that_of_who_spent_the_greatest_part(used: list[Used], found: str) -> None:
    assert state(replace(NOW, used=used)) == found


def test_one_value_s_raise_is_of_its_part_alone() -> None:
    used = [Used(("blue",), 1400), Used(("red",), 999)]
    raised = replace(NOW, raised={"blue": 3000}, used=used)
    assert state(raised) == "alerting"
    shown = view(raised, "ana", None, most=3).highest
    assert [(one.allowed_usd, one.left_usd) for one in shown] == [
        ("0.000003", "0.0000016"),
        ("0.000001", "0.000000001"),
    ]
    assert state(replace(raised, used=[Used(("blue",), 1400), Used(("red",), 1000)])) == "spent"


def test_a_view_has_shares_and_the_forecast() -> None:
    shown = view(NOW, "ana", None, most=3)
    (highest,) = shown.highest
    assert (highest.scope, highest.share) == ("team blue", 0.4)
    assert (highest.used_usd, highest.forecast_usd) == ("0.0000004", "0.0000008")
    assert (shown.per, shown.resets_at_s, shown.hard) == ("month", 100.0, True)
    assert view(replace(NOW, used=[Used((str(n),), 1) for n in range(9)]), None, None, most=3)


def test_what_counts_is_said() -> None:
    assert "requests with route chat, for each team apart, in the month of UTC" in counts(NOW)
    rolling = replace(NOW, limit=Limit("r", "spend", 1, per_s=86_400.0))
    assert "every request, in the last 24h" in counts(rolling)


def test_a_raise_is_in_force_over_or_ended() -> None:
    one = StoredRaise(1, "m", 5, 100.0, "bo", "x", "ana", 0.0)
    assert raise_view(one, 99.0).state == "in force"
    assert raise_view(one, 100.0).state == "over"
    assert raise_view(replace(one, ended_at_s=50.0), 99.0).state == "ended"


def test_a_raise_says_whose_it_is() -> None:
    one = StoredRaise(1, "m", 5, 100.0, "bo", "x", "ana", 0.0)
    assert raise_view(one, 99.0).scope is None
    of = {"attribute.app": "search", "team": "blue"}
    assert raise_view(replace(one, scope=of), 99.0).scope == "app search, team blue"
