"""`tidegate budget`."""

from collections.abc import Callable
from typing import Any

from click.testing import Result
from tests.cli.conftest import FakeControl, refusal

from tidegate.core import clock

USE = {
    "scope": "team growth",
    "allowed_usd": "5.00",
    "used_usd": "4.50",
    "left_usd": "0.50",
    "share": 0.9,
    "forecast_usd": "9.00",
}
ALERT = {
    "budget": "teams",
    "scope": "team growth",
    "measure": "actual",
    "percent": 80,
    "at_s": 0.0,
    "used_usd": "4.50",
    "forecast_usd": None,
    "allowed_usd": "5.00",
    "delivered_at_s": None,
}
VIEW: dict[str, Any] = {
    "name": "teams",
    "author": "ana",
    "scope": ["team"],
    "only": {},
    "per": "month",
    "time_zone": "UTC",
    "hard": True,
    "alerts": [50, 80, 100],
    "amount_usd": "5.00",
    "allowed_usd": "5.00",
    "state": "alerting",
    "since_s": 0.0,
    "resets_at_s": 86_400.0,
    "highest": [USE, {**USE, "scope": "team \u001b[2Jx", "forecast_usd": None}],
    "newest_alert": ALERT,
}
RAISE = {
    "id": 3,
    "scope": "team growth",
    "extra_usd": "2.00",
    "until_s": 0.0,
    "approver": "Bo",
    "reason": "launch",
    "author": "ana",
    "at_s": 0.0,
    "state": "over",
}
EVIL = {"dimension": "end_user", "value": "\u001b[2J", "used_usd": "1.00"}
CHANGED = {"name": "teams", "plan_version": 7, "waiting_for": ["gateway-1"], "raise_id": None}


def test_list_has_a_line_for_each_value_that_spent_most(
    run: Callable[..., Result], control: FakeControl
) -> None:
    raised = {**VIEW, "highest": [{**USE, "allowed_usd": "6.5"}]}
    control.answers["GET /api/budgets"] = {"budgets": [raised]}
    assert "$6.50" in run("budget", "list").stdout
    empty = {**VIEW, "name": "calm", "highest": [], "state": "open", "newest_alert": None}
    control.answers["GET /api/budgets"] = {"budgets": [VIEW, empty]}
    lines = run("budget", "list").stdout.splitlines()
    assert lines[0].split() == [
        *("BUDGET", "SCOPE", "USED", "ALLOWED", "FORECAST", "PER", "STATE", "ALERT")
    ]
    assert lines[1].split("  ")[0] == "teams"
    assert "team growth  $4.50  $5.00    $9.00     month  alerting  80 % actual" in lines[1]
    assert lines[2].split() == ["team", "?[2Jx", "$4.50", "$5.00", "-"]
    assert "$0.00" in lines[3]


def test_explain_says_what_counts_who_spent_and_what_was_granted(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/budgets/teams"] = {
        "budget": VIEW,
        "counts": "Everything counts.",
        "spenders": [{"dimension": "key", "value": "aaaa0000", "used_usd": "4.50"}, EVIL],
        "raises": [
            RAISE,
        ],
        "alerts": [ALERT, {**ALERT, "scope": "team \u001b[2J"}],
    }
    text = run("budget", "explain", "teams").stdout
    for part in (
        *("Everything counts.", "1970-01-02 00:00:00Z", "set by   ana", "aaaa0000", "90.0 %"),
        *("Bo", "launch", "80 %", "3      team growth  $2.00"),
    ):
        assert part in text
    assert "\u001b" not in text


def test_set_sends_what_was_said_and_leaves_the_rest(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /api/budgets"] = CHANGED
    result = run(
        *("budget", "set", "teams", "--amount", "$5.000000001", "--per", "month"),
        *("--scope", "team", "--only", "route=chat", "--soft", "--alert", "80"),
    )
    assert result.stdout == "Set teams; plan version 7.\n"
    assert "Not yet obeyed by gateway-1" in result.stderr
    run("budget", "set", "all", "--amount", "0.05", "--per", "30d")
    assert control.bodies() == [
        {
            "name": "teams",
            "amount": "5.000000001",
            "per": "month",
            "scope": ["team"],
            "only": {"route": "chat"},
            "hard": False,
            "alerts": [80],
        },
        {"name": "all", "amount": "0.05", "per": "30d"},
    ]
    assert run("budget", "set", "x", "--amount", "lots", "--per", "day").exit_code == 2


def test_raise_says_until_when(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["POST /api/budgets/teams/raise"] = {**CHANGED, "raise_id": 3}
    result = run("budget", "raise", "teams", "--by", "2.5", "--for", "3d", "--reason", "launch")
    assert "raise 3" in result.stdout
    (body,) = control.bodies()
    assert isinstance(body, dict)
    assert abs(body.pop("until_s") - clock.wall_s() - 3 * 86_400) < 100
    assert body == {"extra": "2.5", "reason": "launch"}
    granted = ("--by", "1", "--for", "1h", "--reason", "x")
    run("budget", "raise", "teams", *granted, "--of", "team=growth", "--of", "route=chat")
    run("budget", "raise", "teams", *granted, "--every")
    _, one, every = control.bodies()
    assert isinstance(one, dict)
    assert isinstance(every, dict)
    assert (one["scope"], "every" in one) == ({"team": "growth", "route": "chat"}, False)
    assert (every["every"], "scope" in every) == (True, False)


def test_end_ends_a_budget_or_one_raise(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["POST /api/budgets/teams/end"] = CHANGED
    assert run("budget", "end", "teams").stdout == "Ended teams; plan version 7.\n"
    assert "raise 3 of teams" in run("budget", "end", "teams", "--raise", "3").stdout
    assert control.bodies() == [{}, {"raise_id": 3}]


def test_what_control_refuses_is_said_with_every_reason(
    run: Callable[..., Result], control: FakeControl
) -> None:
    problems = ["per: expected a period", "scope: expected a dimension"]
    control.answers["POST /api/budgets"] = refusal(400, "invalid_request", "No.", problems=problems)
    result = run("budget", "set", "x", "--amount", "1", "--per", "fortnight")
    assert result.exit_code == 1
    assert all(problem in result.stderr for problem in problems)
    assert run("budget", "explain", "../x").exit_code == 2


OF_KEY = {**VIEW, "name": "key:Ab3dE6gH", "author": None, "holder": "app \u001b[2J, team growth"}


def test_budgets_of_keys_are_listed_by_whose_they_are_and_counted_beyond(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/budgets"] = {"budgets": [OF_KEY], "keys_left_out": 7}
    text = run("budget", "list", "--keys", "1").stdout
    assert "key:Ab3dE6gH  app ?[2J, team growth" in text
    assert text.endswith("7 more keys have a budget of their own; see --keys.\n")
    control.answers["GET /api/budgets/key:Ab3dE6gH"] = {
        "budget": OF_KEY,
        "counts": "It counts.",
        "spenders": [],
        "raises": [{**RAISE, "scope": None}],
        "alerts": [],
    }
    told = run("budget", "explain", "key:Ab3dE6gH").stdout
    assert "3      the key  $2.00" in told
    assert "set by   the key\nkey      app ?[2J, team growth\n" in told


def test_a_key_is_named_by_its_id(run: Callable[..., Result], control: FakeControl) -> None:
    for wrong in ("key:budget", "key:", "key:Ab3dE6g/", "all:x"):
        result = run("budget", "explain", wrong)
        assert result.exit_code == 2
    assert "is called key:ID" in run("budget", "explain", "key:budget").stderr
