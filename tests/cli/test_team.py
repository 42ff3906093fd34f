"""`tidegate team`."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl

TEAM: dict[str, Any] = {
    "team_id": "growth",
    "team_alias": "Growth \u001b[2J",
    "models": ["chat", "long"],
    "lead": "Bo",
    "created_at": "2026-01-01T00:00:00+00:00",
    "max_budget": 5.000000001,
    "budget_duration": "30d",
    "tpm_limit": None,
    "rpm_limit": 60,
    "max_parallel_requests": None,
}
PLAIN = {"team_id": "calm", "team_alias": "calm", "models": [], "max_budget": 7}
MADE = {**TEAM, "ignored": [], "waiting_for": ["gateway-1"]}


def test_list_has_a_line_for_each_team(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["GET /team/list"] = [[TEAM, PLAIN]]
    head, growth, calm = run("team", "list").stdout.splitlines()
    assert head.split() == [
        *("TEAM", "ALIAS", "LEAD", "ROUTES", "BUDGET", "RPM", "TPM", "PARALLEL")
    ]
    assert "chat,long  $5.000000001 per 30d  60   -    -" in growth
    assert "Growth ?[2J" in growth
    assert calm.split() == ["calm", "calm", "-", "all", "$7.00", "in", "all", "-", "-", "-"]


def test_show_has_its_spend_and_its_keys(run: Callable[..., Result], control: FakeControl) -> None:
    keys = [{"token": "aaaa0000", "key_alias": "app"}]
    control.answers["GET /team/info"] = {"team_info": {**TEAM, "spend": 1.5}, "keys": keys}
    text = run("team", "show", "growth").stdout
    assert "$1.50" in text
    assert "aaaa0000  app" in text
    assert control.asked[0].url.params["team_id"] == "growth"


def test_create_sends_what_was_said_and_leaves_the_rest(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /team/new"] = MADE
    limits = ("--budget", "$5.000000001", "--budget-per", "month", "--rpm", "60")
    result = run("team", "create", "growth", "--route", "chat", "--route", "long", *limits)
    assert result.stdout == "Made growth.\n"
    assert "gateway-1" in result.stderr
    run("team", "create", "calm")
    run("team", "create", "rolls", "--budget", "1", "--budget-per", "30d")
    assert control.bodies() == [
        {
            "team_id": "growth",
            "models": ["chat", "long"],
            "max_budget": "5.000000001",
            "budget_duration": "month",
            "rpm_limit": 60,
        },
        {"team_id": "calm"},
        {"team_id": "rolls", "max_budget": "1", "budget_duration": "2592000s"},
    ]
    assert run("team", "create", "x", "--budget-per", "30 moons").exit_code == 2


def test_update_changes_limits_and_takes_them_away(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /team/update"] = MADE
    result = run(
        "team", "update", "growth", "--tpm", "9", "--without", "rpm", "--without", "budget"
    )
    assert result.stdout == "Changed growth.\n"
    assert control.bodies() == [
        {"team_id": "growth", "tpm_limit": 9, "rpm_limit": None, "max_budget": None}
    ]
    assert run("team", "update", "growth", "--rpm", "9", "--without", "rpm").exit_code == 2


def test_a_lead_s_token_is_printed_alone_and_ended_by_saying_so(
    run: Callable[..., Result], control: FakeControl
) -> None:
    token = {"team_id": "growth", "lead": "Bo", "token": "tg-lead-x"}
    control.answers["POST /api/teams/growth/lead"] = [token, {**token, "lead": None, "token": None}]
    result = run("team", "lead", "growth", "Bo")
    assert result.stdout == "tg-lead-x\n"
    assert "not shown again" in result.stderr
    assert run("team", "lead", "growth", "--none").stdout == "Nobody leads growth.\n"
    assert control.bodies() == [{"lead": "Bo"}, {"lead": None}]


@pytest.mark.parametrize(
    "words", [("growth",), ("growth", "Bo", "--none"), ("../x", "Bo"), ("a/b", "Bo")]
)
def test_who_leads_is_said_and_the_team_is_named(
    run: Callable[..., Result], control: FakeControl, words: tuple[str, ...]
) -> None:
    assert run("team", "lead", *words).exit_code == 2
    assert control.asked == []


def test_delete_asks_first(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["POST /team/delete"] = {
        "deleted_teams": ["growth"],
        "revoked_keys": ["aaaa0000"],
        "waiting_for": [],
    }
    assert run("team", "delete", "growth").exit_code == 1
    assert control.asked == []
    assert run("team", "delete", "growth", "--yes").stdout == "Deleted growth; 1 key revoked.\n"
    assert control.bodies() == [{"team_ids": ["growth"]}]
