"""A house with more budgets than a plan holds is told how it can be had all the same."""

import yaml

from tidegate.config.litellm_ids import PERSONAL
from tidegate.config.litellm_many import SHARED, too_many, without_budgets
from tidegate.config.load import load
from tidegate.config.moving import Findings
from tidegate.core.compile_limits import MAX_LIMITS
from tidegate.core.moved import Moved, MovedBudget, MovedSpend, MovedTeam
from tidegate.stores.spending import opening_of

DOLLAR = 10**9


def budget(name: str, only: dict[str, str], dollars: int = 5, **of: object) -> MovedBudget:
    period: dict[str, object] = of or {"unit": "month"}
    return MovedBudget(name, dollars * DOLLAR, only, **period)  # type: ignore[arg-type]


def house(users: int) -> Moved:
    budgets = [
        budget(f"user.{n}", {"customer": str(n), "team": PERSONAL}, 5 + n % 5) for n in range(users)
    ]
    budgets += [
        budget("member.t.1", {"customer": "1", "team": "t"}, rolling_s=259_200.0),
        budget("customer.e", {"end_user": "e"}),
        budget("team.t", {"team": "t"}),
    ]
    team = MovedTeam("t", "T", ("*",), 1.0, requests_per_minute=1, tokens_per_minute=2)
    return Moved("litellm", [], [team], budgets, [MovedSpend({"end_user": "e"}, 1.0, 3)])


def test_what_fits_is_nothing_to_tell() -> None:
    assert too_many(house(MAX_LIMITS - 5)) is None
    assert too_many(house(MAX_LIMITS - 4)) is not None


def test_the_budgets_to_declare_are_told_and_are_ones() -> None:
    told = too_many(house(1200)) or ""
    assert "1,205 budgets and limits" in told and "and 2 other sizes" in told
    assert "--without-budgets-of users leaves 1,200" in told
    lines = [line.strip() for line in told.splitlines() if " # " in line]
    for line in lines:
        assert load(f"{{budgets: {{{line.partition('#')[0]}}}}}".encode(), {}).declared is not None
    assert [line.partition(":")[0] for line in lines] == [*["users"] * 3, "members", "end_users"]


def test_a_budget_by_scope_counts_what_each_has_spent() -> None:
    """The names of its dimensions are those of the opening balances."""
    of = {one.name: one for one in house(1).budgets}
    for kind, name in (("users", "user.0"), ("members", "member.t.1"), ("end-users", "customer.e")):
        shared = yaml.safe_load(f"{{{SHARED[kind]}}}")
        dimensions = {*shared["scope"], *shared.get("only", {})}
        assert ",".join(sorted(dimensions)) == opening_of(of[name].only)[0]


def test_without_theirs_what_they_spent_stays() -> None:
    found = Findings()
    moved = without_budgets(house(1200), ["users", "end-users"], found)
    assert [it.name for it in moved.budgets] == ["member.t.1", "team.t"]
    assert moved.spends == house(0).spends
    assert {it.theirs: it.count for it in found.all()} == {
        "budgets of users": 1200,
        "budgets of end-users": 1,
    }
    assert too_many(moved) is None
