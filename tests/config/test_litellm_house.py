"""LiteLLM's rows to what is moved in: who may call what, under which budgets, with what spent."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from tidegate.config.litellm_budget import EVER_S
from tidegate.config.litellm_house import PERSONAL, Asked, moved_house, team_id
from tidegate.config.moving import Findings
from tidegate.core.key import foreign_id
from tidegate.core.key_limits import KeyLimits
from tidegate.core.moved import Moved, MovedBudget, MovedKey, MovedSpend
from tidegate.core.periods import period_at

NOW_S = 1_795_000_000.0
WEEK_S = float(period_at("week", "UTC", NOW_S).start_s)
SHA256 = hashlib.sha256(b"sk-1").hexdigest()
SCOPE = {"key": foreign_id(bytes.fromhex(SHA256))}
ASKED = Asked(frozenset({"chat", "large", "small"}), {"all-large": ["large", "gone"]}, NOW_S)

ID = foreign_id(bytes.fromhex(SHA256))
METADATA = """{"tier": "gold", "tags": ["a", "b"], "nested": {"no": 1},
 "model_rpm_limit": {"chat": 1}}"""


def key(**given: Any) -> dict[str, Any]:
    return {"token": SHA256, "key_alias": "app", "models": [], "spend": 0.0, **given}


def moved(**tables: list[dict[str, Any]]) -> tuple[Moved, Findings]:
    found = Findings()
    return moved_house(tables, ASKED, found), found


def one_key(row: dict[str, Any], **tables: list[dict[str, Any]]) -> MovedKey:
    (found,) = moved(keys=[row], **tables)[0].keys
    return found


def left(found: Findings) -> set[str]:
    return {it.theirs for it in found.all() if it.fate == "left"}


def test_a_key_goes_on_with_its_limits_and_what_it_spent() -> None:
    at = datetime(2026, 1, 2)
    row = key(
        team_id="growth",
        user_id="ada@example.com",
        max_budget=5.5,
        spend=1.23456789,
        rpm_limit=60,
        tpm_limit=9000,
        max_parallel_requests=4,
        expires=at,
        created_at=at,
        metadata=METADATA,
        organization_id="acme",
        aliases='{"fast": "small"}',
        allowed_routes=["/v1/chat/completions"],
    )
    house, found = moved(keys=[row], teams=[{"team_id": "growth", "team_alias": "Growth"}])
    (one,) = house.keys
    assert one.expires_at_s == one.created_at_s == at.replace(tzinfo=UTC).timestamp()
    assert one.name == "app" and one.team == "growth" and one.customer == "ada@example.com"
    assert one.limits == KeyLimits(5_500_000_000, "lifetime", None, 60, 9000, 4)
    assert one.attributes == {"tier": "gold", "tags": "a,b", "organization": "acme"}
    assert house.spends == [MovedSpend(SCOPE, EVER_S, 1_234_567_890)]
    assert left(found) == {
        "keys.aliases",
        "keys.allowed_routes, which restricts",
        "keys.metadata.model_rpm_limit",
        "keys.metadata.nested",
    }


def test_of_whom_a_thing_is_said_is_said_and_a_team_that_is_gone_is_named() -> None:
    rows = [key(allowed_routes=["/x"], team_id="gone"), key(token="cd" * 32, team_id="t")]
    _, found = moved(keys=rows, teams=[{"team_id": "t", "model_id": 3}])
    told = {it.theirs: it.whose for it in found.all()}
    assert told["keys.allowed_routes, which restricts"] == (ID,)
    assert told["keys.team_id of a team that is not there"] == (ID,)
    assert told["teams.model_id"] == ("t",)


def test_a_budget_that_a_key_only_names_holds_for_it() -> None:
    linked = {"budget_id": "b1", "max_budget": 2.0, "budget_duration": "30d", "rpm_limit": 7}
    one = one_key(key(budget_id="b1", max_budget=None), budgets=[linked])
    assert one.limits == KeyLimits(2 * 10**9, "month", requests_per_minute=7)


def test_what_a_key_may_call_is_its_own_within_its_team_s() -> None:
    team = {"team_id": "t", "models": ["chat", "large"]}
    assert one_key(key()).routes == ("*",)
    assert one_key(key(models=["all-proxy-models"])).routes == ("*",)
    assert one_key(key(models=["chat", "nowhere"])).routes == ("chat",)
    assert one_key(key(models=["nowhere"])).routes == ()
    assert one_key(key(models=["all-large"])).routes == ("large",)
    assert one_key(key(models=["*mall"])).routes == ("small",)
    assert one_key(key(team_id="t"), teams=[team]).routes == ("chat", "large")
    assert one_key(key(team_id="t", models=["all-team-models"]), teams=[team]).routes == (
        "chat",
        "large",
    )
    assert one_key(key(team_id="t", models=["chat", "small"]), teams=[team]).routes == ("chat",)
    user = {"user_id": "u", "models": ["small"]}
    assert one_key(key(user_id="u"), users=[user]).routes == ("small",)
    user = {"user_id": "u", "models": ["no-default-models"]}
    assert one_key(key(user_id="u"), users=[user]).routes == ()


def test_a_team_has_its_limits_its_budget_and_its_spend() -> None:
    row = {
        "team_id": "growth",
        "team_alias": "Growth",
        "models": ["chat"],
        "max_budget": 100.0,
        "budget_duration": "7d",
        "spend": 12.5,
        "rpm_limit": 600,
        "blocked": False,
    }
    house, _ = moved(teams=[row])
    (team,) = house.teams
    assert (team.id, team.alias, team.routes) == ("growth", "Growth", ("chat",))
    assert team.requests_per_minute == 600
    assert house.budgets == [
        MovedBudget("team.growth", 100 * 10**9, {"team": "growth"}, unit="week")
    ]
    assert house.spends == [MovedSpend({"team": "growth"}, WEEK_S, 12_500_000_000)]


def test_a_limit_of_nothing_is_none_of_everything() -> None:
    """And what stands for no limit there is one that control takes."""
    row = {"rpm_limit": 0, "tpm_limit": 2**63 - 1, "max_parallel_requests": None}
    linked = {"budget_id": "b", "rpm_limit": 7, "max_parallel_requests": 0}
    house, found = moved(
        keys=[key(**row, budget_id="b")], teams=[{"team_id": "t", **row}], budgets=[linked]
    )
    limits, (team,) = house.keys[0].limits, house.teams
    assert limits is not None
    assert (limits.requests_per_minute, limits.max_parallel_requests) == (1, 1)
    assert (team.requests_per_minute, team.max_parallel_requests) == (1, None)
    assert team.tokens_per_minute == limits.tokens_per_minute == 10**15
    told = {it.theirs for it in found.all() if it.fate == "changed"}
    assert {"keys.rpm_limit 0", "keys.max_parallel_requests 0", "teams.rpm_limit 0"} <= told


def test_users_members_organizations_and_customers_have_budgets_of_their_own() -> None:
    budgets = [
        {"budget_id": "m", "max_budget": 3.0},
        {"budget_id": "o", "max_budget": 40.0, "budget_duration": "30d"},
        {"budget_id": "life", "max_budget": 1.0},
    ]
    house, found = moved(
        budgets=budgets,
        users=[
            {"user_id": "ada", "max_budget": 5.0, "spend": 0.5},
            {"user_id": "default_user_id", "max_budget": 9.0},
            {"user_id": "litellm-proxy-budget", "max_budget": 9.0},
        ],
        members=[{"user_id": "ada", "team_id": "t", "budget_id": "m", "spend": 0.25}],
        organizations=[
            {"organization_id": "acme", "budget_id": "o", "spend": 7.0},
            {"organization_id": "b", "budget_id": "life", "spend": 1.0},
        ],
        end_users=[{"user_id": "end one", "budget_id": "o", "spend": 1.0, "blocked": True}],
    )
    of = {it.name: it for it in house.budgets}
    assert of["user.ada"].only == {"customer": "ada", "team": PERSONAL}
    assert of["member.t.ada"].only == {"team": "t", "customer": "ada"}
    assert of["organization.acme"].only == {"attribute.organization": "acme"}
    (customer,) = (it for it in house.budgets if "end_user" in it.only)
    assert customer.name.startswith("customer.-")
    assert len(of) == 4
    assert MovedSpend({"team": "t", "customer": "ada"}, EVER_S, 250_000_000) in house.spends
    assert left(found) == {
        "users.max_budget of the whole proxy",
        "organizations.max_budget without a duration",
        "end_users.blocked",
    }


def test_users_with_long_ids_stay_two_and_keep_their_own_money() -> None:
    ada, eve = "x" * 120 + "ada", "x" * 120 + "eve"
    users = [{"user_id": it, "max_budget": 5.0, "spend": 1.0} for it in (ada, eve)]
    rows = [key(user_id=ada), key(token="b" * 64, user_id=eve, organization_id="o" * 300)]
    house, found = moved(keys=rows, users=users, end_users=[{"user_id": "e" * 257, "spend": 1.0}])
    customers = [it.customer for it in house.keys]
    assert len(set(customers)) == 2 and all(len(it or "") <= 100 for it in customers)
    assert [it.only["customer"] for it in house.budgets] == customers
    assert [it.scope.get("customer") for it in house.spends] == customers
    assert len(house.keys[1].attributes["organization"]) == 256
    assert left(found) == {"end_users.user_id " + "e" * 60}


def test_a_project_s_and_a_member_s_models_hold_and_a_blocked_project_s_keys_end() -> None:
    row = key(team_id="t", user_id="ada", project_id="p")
    tables = {
        "teams": [{"team_id": "t"}],
        "projects": [{"project_id": "p", "models": ["chat", "small"]}],
        "budgets": [{"budget_id": "m", "allowed_models": ["chat", "large"]}],
        "members": [{"user_id": "ada", "team_id": "t", "budget_id": "m"}],
    }
    one = one_key(row, **tables)
    assert (one.routes, one.blocked) == (("chat",), False)
    tables["projects"][0]["blocked"] = True
    assert one_key(row, **tables).blocked


def test_a_user_who_may_call_nothing_alone_has_keys_that_may_call_nothing() -> None:
    user = {"user_id": "u", "models": ["no-default-models", "chat"]}
    assert one_key(key(user_id="u", models=["chat"]), users=[user]).routes == ()
    team = {"team_id": "t", "models": ["no-default-models", "chat"]}
    in_team = key(user_id="u", team_id="t")
    assert one_key(in_team, users=[user], teams=[team]).routes == ("chat",)


def test_tables_that_nobody_reads_are_told_of() -> None:
    names = ("LiteLLM_AccessGroupTable", "LiteLLM_SpendLogs")
    _, found = moved(others=[{"table": name} for name in names])
    assert left(found) == {"the table LiteLLM_AccessGroupTable"}


def test_a_member_has_the_budget_that_the_team_gives_everybody() -> None:
    house, _ = moved(
        budgets=[{"budget_id": "all", "max_budget": 2.0}],
        teams=[{"team_id": "t", "metadata": '{"team_member_budget_id": "all"}'}],
        members=[{"user_id": "ada", "team_id": "t"}],
    )
    assert [it.name for it in house.budgets] == ["member.t.ada"]


def test_keys_of_no_model_are_left_and_blocked_ones_are_revoked() -> None:
    rows = [
        key(team_id="litellm-dashboard"),
        key(token="not-a-digest"),
        key(allowed_routes=["management_routes"]),
    ]
    house, found = moved(keys=rows)
    assert house.keys == []
    assert len(left(found)) == 3
    assert one_key(key(blocked=True)).blocked
    assert one_key(key(team_id="t"), teams=[{"team_id": "t", "blocked": True}]).blocked
    assert not one_key(key(allowed_routes=["llm_api_routes"])).blocked


def test_a_name_that_does_not_fit_here_is_another_and_that_is_told() -> None:
    theirs = "a team / with $pace"
    assert team_id(theirs).startswith("team-") and team_id("growth") == "growth"
    house, found = moved(teams=[{"team_id": theirs}])
    assert house.teams[0].id == team_id(theirs)
    assert any(theirs in it.theirs for it in found.all())


def test_models_in_the_database_and_keys_in_grace_are_told_of() -> None:
    _, found = moved(models=[{"model_id": "1"}, {"model_id": "2"}], old_keys=[{"id": "1"}])
    counts = {it.theirs: it.count for it in found.all()}
    assert counts == {"models kept in its database": 2, "keys that were rotated, in their grace": 1}


def test_a_team_of_theirs_is_not_that_of_keys_without_one() -> None:
    other = hashlib.sha256(b"sk-2").hexdigest()
    rows = [key(team_id=PERSONAL), key(token=other)]
    house, _ = moved(keys=rows, teams=[{"team_id": PERSONAL, "max_budget": 5.0}])
    theirs, alone = house.keys
    assert alone.team == PERSONAL != theirs.team == house.teams[0].id
    assert [it.only for it in house.budgets] == [{"team": theirs.team}]
