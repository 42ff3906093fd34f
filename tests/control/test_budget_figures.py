"""How a budget stands: its period, its forecast, whose eyes it is for."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores import rig

from tidegate.control.budget_figures import BudgetFigures, is_seen_by
from tidegate.core.plan import Limit, Raise
from tidegate.stores import budget_use, database
from tidegate.stores.budget_use import Used
from tidegate.stores.ledger import Ledger

DAY = Limit("day", "spend", 1000, unit="day", alert_percents=(50,))
NOON_S = 1_790_000_000.0 // 86_400 * 86_400 + 43_200


def spend(engine: Engine, at_s: float, cost: int, team: str = "blue") -> None:
    Ledger(engine).write(rig.entries(rig.receipt(at_s, cost_nanousd=cost, team=team)), [])


def test_a_forecast_is_the_pace_so_far_to_the_end_of_the_period(engine: Engine) -> None:
    spend(engine, NOON_S - 3600, 100)
    spend(engine, NOON_S - 86_400, 7)  # yesterday
    with database.reading(engine) as connection:
        found = BudgetFigures().standing(connection, DAY, NOON_S)
        assert [one.nanousd for one in found.used] == [100]
        assert found.forecast(100) == 200
        assert (found.since_s, found.until_s) == (NOON_S - 43_200, NOON_S + 43_200)
        early = BudgetFigures().standing(connection, DAY, NOON_S - 43_200 + 4300)
        assert early.forecast(100) is None


def test_a_budget_that_rolls_on_has_no_forecast_and_a_period_of_its_own_length(
    engine: Engine,
) -> None:
    spend(engine, NOON_S - 7000, 100)
    spend(engine, NOON_S - 12_000, 5)
    rolling = replace(DAY, unit=None, per_s=7200.0)
    with database.reading(engine) as connection:
        found = BudgetFigures().standing(connection, rolling, NOON_S)
    assert [one.nanousd for one in found.used] == [100]
    assert (found.until_s, found.forecast(100)) == (None, None)
    assert found.period_start_s == NOON_S // 7200 * 7200


def test_raises_count_while_they_are_in_force(engine: Engine) -> None:
    raised = replace(DAY, raises=(Raise(500, NOON_S + 1),))
    with database.reading(engine) as connection:
        assert BudgetFigures().standing(connection, raised, NOON_S).allowed_nanousd == 1500
        assert BudgetFigures().standing(connection, raised, NOON_S + 1).allowed_nanousd == 1000


def test_a_raise_of_one_value_is_of_no_other(engine: Engine) -> None:
    spend(engine, NOON_S, 100, "blue")
    spend(engine, NOON_S, 40, "red")
    one = Raise(500, NOON_S + 1, (("team", "red"),))
    raised = replace(DAY, scope=("team",), raises=(one, Raise(7, NOON_S + 1)))
    with database.reading(engine) as connection:
        found = BudgetFigures().standing(connection, raised, NOON_S, most=1)
        over = BudgetFigures().standing(connection, raised, NOON_S + 1)
    # One more than was asked for: whose is raised may have spent most and be far from its end.
    assert [found.allowed_of(used) for used in found.used] == [1007, 1507]
    assert over.raised == {}


APPS = replace(DAY, scope=("attribute.app",))


def spend_by(engine: Engine, cost: int, **attributes: str) -> None:
    receipt = rig.receipt(NOON_S - 60, cost_nanousd=cost, attributes=attributes or None)
    Ledger(engine).write(rig.entries(receipt), [])


def test_what_only_receipts_tell_is_looked_up_there(engine: Engine) -> None:
    for app, cost in (("search", 100), ("chat", 40), ("search", 7)):
        spend_by(engine, cost, app=app)
    spend_by(engine, 5000)
    with database.reading(engine) as connection:
        found = BudgetFigures().standing(connection, APPS, NOON_S)
    assert [(one.values, one.nanousd) for one in found.used] == [
        (("search",), 107),
        (("chat",), 40),
    ]
    assert found.forecast(107) == 214


def test_a_look_at_receipts_is_rested_for_twenty_times_as_long_as_it_took(engine: Engine) -> None:
    now_s = 100.0

    def ticking() -> float:
        nonlocal now_s
        now_s += 1.0
        return now_s

    figures = BudgetFigures(ticking)

    def used(limit: Limit = APPS, wall_s: float = NOON_S) -> list[int]:
        with database.reading(engine) as connection:
            return [one.nanousd for one in figures.standing(connection, limit, wall_s).used]

    spend_by(engine, 100, app="search")
    assert used() == [100]
    spend_by(engine, 7, app="search")
    assert used() == [100]
    assert used(replace(APPS, only=(("team", "blue"),))) == [107]  # nobody asked that before
    assert used(wall_s=NOON_S + 86_400) == []
    now_s += 20.0
    assert used() == [107]


def test_while_somebody_looks_others_are_told_what_was_found_last(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = BudgetFigures(lambda: 0.0)

    def used() -> list[int]:
        with database.reading(engine) as connection:
            return [one.nanousd for one in figures.standing(connection, APPS, NOON_S).used]

    spend_by(engine, 100, app="search")
    assert used() == [100]
    spend_by(engine, 7, app="search")
    looks: list[list[int]] = []
    look = budget_use.used

    def slow(*given: Any, **named: Any) -> list[Used]:
        looks.append([])
        looks[-1] = used()  # the look of another, while this one is under way
        return look(*given, **named)

    monkeypatch.setattr(budget_use, "used", slow)
    assert used() == [107]
    assert looks == [[100]]


def test_one_team_s_part(engine: Engine) -> None:
    spend(engine, NOON_S, 100, "blue")
    spend(engine, NOON_S, 40, "red")
    with database.reading(engine) as connection:
        found = BudgetFigures().standing(
            connection, replace(DAY, scope=("team",)), NOON_S, team="red"
        )
    assert [(one.values, one.nanousd) for one in found.used] == [(("red",), 40)]


@pytest.mark.parametrize(
    ("scope", "only", "seen"),
    [
        ((), (), False),
        (("team",), (), True),
        (("key", "team"), (), True),
        (("key",), (), False),
        ((), (("team", "red"),), True),
        (("team",), (("team", "blue"),), False),
        ((), (("team", "blue"),), False),
    ],
)
def test_a_team_sees_what_tells_it_apart(
    scope: tuple[str, ...], only: tuple[tuple[str, str], ...], seen: bool
) -> None:
    assert is_seen_by(replace(DAY, scope=scope, only=only), "red") is seen
