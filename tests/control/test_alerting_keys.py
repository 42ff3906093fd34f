"""The budgets that keys bring with them alert as those of the plan do."""

from sqlalchemy import Engine, event
from tests.control.test_alerting import NOON_S, given, looker
from tests.stores import rig

from tidegate.control.alerting import Alerting
from tidegate.control.budget_figures import BudgetFigures
from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import Plan, Raise
from tidegate.stores import keys
from tidegate.stores.audit import Author
from tidegate.stores.ledger import Ledger


def give_key(engine: Engine, key_id: str, limits: KeyLimits) -> None:
    keys.create(engine, rig.key(key_id, limits=limits), Author("ann", NOON_S - 86_400))


def of_key(engine: Engine, key_id: str, cost: int) -> None:
    one = rig.receipt(NOON_S - 60, key_id=key_id, cost_nanousd=cost)
    Ledger(engine).write(rig.entries(one), [])


def test_the_budget_of_a_key_alerts_as_one_of_the_plan_once_a_threshold_and_period(
    engine: Engine,
) -> None:
    give_key(engine, "aaaa0000", KeyLimits(1000, "day"))
    give_key(engine, "bbbb0000", KeyLimits(1000, "day", budget_alerts=(90,)))
    give_key(engine, "cccc0000", KeyLimits(requests_per_minute=5))
    it = looker(engine)
    assert it.look(NOON_S) == []
    for key_id in ("aaaa0000", "bbbb0000", "cccc0000"):
        of_key(engine, key_id, 499)
    found = it.look(NOON_S)
    assert [(one.budget, one.measure, one.percent) for one in found] == [
        ("key:aaaa0000", "forecast", 50),
        ("key:aaaa0000", "forecast", 80),
        ("key:bbbb0000", "forecast", 90),
    ]
    assert {one.scope for one in found} == {"key aaaa0000", "key bbbb0000"}
    of_key(engine, "aaaa0000", 501)
    again = looker(engine)
    assert {(one.measure, one.percent) for one in again.look(NOON_S)} == {
        ("actual", part) for part in (50, 80, 100)
    }
    assert it.look(NOON_S) == []
    ratios = [(one.budget, one.scope, one.used) for one in again.ratios]
    assert ratios == [("key:budget", "key aaaa0000", 1.0), ("key:budget", "key bbbb0000", 0.499)]


def test_a_look_asks_no_more_questions_the_more_keys_have_reached_a_threshold(
    engine: Engine,
) -> None:
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    it, counts = looker(engine), []
    for number in range(20):
        give_key(engine, f"{number:08d}", KeyLimits(1000, "day"))
        of_key(engine, f"{number:08d}", 600)
        assert len(it.look(NOON_S)) == 3
        asked.clear()
        assert it.look(NOON_S) == []
        counts.append(len(asked))
    assert set(counts) == {counts[0]}


def test_a_raise_of_a_key_s_budget_counts_until_its_date(engine: Engine) -> None:
    give_key(engine, "aaaa0000", KeyLimits(1000, "day", raises=(Raise(1000, NOON_S + 60),)))
    of_key(engine, "aaaa0000", 1000)
    assert [one.percent for one in looker(engine).look(NOON_S)] == [50, 80, 100]
    assert given(looker(engine).look(NOON_S + 30)) == set()
    of_key(engine, "aaaa0000", 600)
    assert {(one.measure, one.percent) for one in looker(engine).look(NOON_S + 30)} == {
        ("actual", 80)
    }


def test_a_look_at_so_many_keys_that_it_takes_long_rests_twenty_times_as_long(
    engine: Engine,
) -> None:
    give_key(engine, "aaaa0000", KeyLimits(1000, "day", budget_alerts=(50,)))
    now = [100.0]

    def monotonic_s() -> float:
        now[0] += 4.0  # each look at the clock finds it so much later
        return now[0]

    plan = Plan(1, "d", 0.0, {})
    it = Alerting(engine, lambda: plan, lambda: None, {}, BudgetFigures(monotonic_s))
    assert it.look(NOON_S) == []  # it took 4 s
    of_key(engine, "aaaa0000", 600)
    assert it.look(NOON_S) == []
    now[0] += 80.0
    assert len(it.look(NOON_S)) == 1
