"""What was spent, told apart as a budget tells it apart."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from tests.stores import rig, spendings

from tidegate.core.limit import SEPARATOR
from tidegate.core.plan import Limit
from tidegate.stores import budget_use, database, schema
from tidegate.stores.budget_use import Span, Used
from tidegate.stores.ledger import Ledger

AT_S = rig.NOON_S // 900 * 900 + 450
SPAN = Span(AT_S - 900, AT_S + 900)


@pytest.fixture
def spent(engine: Engine) -> Engine:
    rows = [
        rig.receipt(AT_S, team="blue", cost_nanousd=5, customer="acme", session_id="s1"),
        rig.receipt(AT_S, team="blue", cost_nanousd=7, route="slow"),
        rig.receipt(AT_S, team="red", cost_nanousd=100, end_user="u"),
        rig.receipt(AT_S, team=None, cost_nanousd=9),
        rig.receipt(AT_S, team="red", cost_nanousd=None, most_nanousd=30),
        rig.receipt(AT_S - 9000, team="red", cost_nanousd=1000),
        rig.receipt(AT_S + 9000, team="red", cost_nanousd=1000),
    ]
    Ledger(engine).write(rig.entries(*rows), [])
    return engine


@pytest.mark.parametrize(
    ("scope", "only", "found"),
    [
        ((), (), [Used((), 151)]),
        (("team",), (), [Used(("red",), 130), Used(("blue",), 12)]),
        (("team",), (("team", "blue"),), [Used(("blue",), 12)]),
        (("team", "route"), (("team", "blue"),), [Used(("blue", "slow"), 7)]),
        (("customer",), (), [Used(("acme",), 5)]),
        (("session",), (), [Used(("s1",), 5)]),
        (("end_user",), (("team", "red"),), [Used(("u",), 100)]),
        (("customer",), (("team", "red"),), []),
        ((), (("team", "none"),), [Used((), 0)]),
    ],
)
def test_values_that_spent_most_come_first_and_absent_ones_not(
    spent: Engine,
    scope: tuple[str, ...],
    only: tuple[tuple[str, str], ...],
    found: list[Used],
) -> None:
    with database.reading(spent) as connection:
        used = budget_use.used(connection, scope, only, SPAN)
    assert used[: len(found)] == found
    assert len(used) == len(found) or scope == ("team", "route")


def test_no_more_values_than_are_asked_for(spent: Engine) -> None:
    with database.reading(spent) as connection:
        assert len(budget_use.used(connection, ("team",), (), SPAN, most=1)) == 1


def test_only_what_is_summed_up_is_told_without_a_look_at_receipts() -> None:
    assert budget_use.is_rolled_up(("team", "model"))
    assert not budget_use.is_rolled_up(("team", "end_user"))
    assert not budget_use.is_rolled_up(("attribute.app",))


def test_attributes_are_told_by_the_receipts_highest_first(engine: Engine) -> None:
    rows = [
        rig.receipt(AT_S, cost_nanousd=cost, attributes={"app": app})
        for app, cost in (("b", 5), ("a", 5), ("c", 9), ("c", 1))
    ]
    Ledger(engine).write(rig.entries(*rows), [])
    app = ("attribute.app",)
    with database.reading(engine) as connection:
        every = budget_use.used(connection, app, (), SPAN)
        assert every == [Used(("c",), 10), Used(("a",), 5), Used(("b",), 5)]
        assert budget_use.used(connection, app, (), SPAN, most=1) == every[:1]
        of_c = budget_use.used(connection, (), (("attribute.app", "c"),), SPAN)
        of_nobody = budget_use.used(connection, (), (("attribute.app", "d"),), SPAN)
    assert (of_c, of_nobody) == ([Used((), 10)], [Used((), 0)])


@given(seed=st.integers(0, 10**9), limit=spendings.LIMITS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_what_is_shown_as_spent_is_what_budgets_count(
    engine: Engine, seed: int, limit: Limit
) -> None:
    with database.writing(engine) as connection:
        for table in (schema.receipts, schema.spend):
            connection.execute(delete(table))
    draw = random.Random(seed)
    made = [spendings.some(draw, AT_S + draw.uniform(0, 400)) for _ in range(20)]
    Ledger(engine).write(rig.entries(*made), [])
    wanted = {
        tuple(one.split(SEPARATOR)) if limit.scope else (): sum(
            spendings.counted(it, limit, one) for it in made
        )
        for one in spendings.scopes_of(limit, made)
    }
    with database.reading(engine) as connection:
        used = budget_use.used(connection, limit.scope, limit.only, SPAN)
    assert {one.values: one.nanousd for one in used if one.nanousd} == {
        values: nanousd for values, nanousd in wanted.items() if nanousd
    }
