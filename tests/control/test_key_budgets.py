"""Budgets that keys bring with them, seen as budgets."""

import random

from sqlalchemy import Engine
from tests.stores import rig

from tidegate.control import key_budgets
from tidegate.control.key_budgets import Holder, Nearest
from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import Limit, Raise
from tidegate.stores import database, keys
from tidegate.stores.audit import Author
from tidegate.stores.ledger import Ledger

NOON_S = 1_790_000_000.0 // 86_400 * 86_400 + 43_200
ANN = Author("ann", NOON_S - 86_400)


def holders(engine: Engine, now_s: float = NOON_S, team: str | None = None) -> list[Holder]:
    with database.reading(engine) as connection:
        return list(key_budgets.every(connection, now_s, team))


def spend(engine: Engine, key_id: str, cost: int) -> None:
    one = rig.receipt(NOON_S - 60, key_id=key_id, cost_nanousd=cost)
    Ledger(engine).write(rig.entries(one), [])


def test_it_is_a_limit_of_its_own_with_its_raises_and_alerts() -> None:
    limits = KeyLimits(5, "month", raises=(Raise(7, 9.0),), budget_alerts=(80,))
    assert key_budgets.limit_of("aaaa0000", limits) == Limit(
        *("key:aaaa0000", "spend", 5, ("key",), (("key", "aaaa0000"),)),
        unit="month",
        raises=(Raise(7, 9.0),),
        alert_percents=(80,),
    )
    assert key_budgets.limit_of("aaaa0000", KeyLimits(requests_per_minute=5)) is None
    assert key_budgets.limit_of("aaaa0000", None) is None


def test_each_by_its_own_period_and_one_team_s_alone(engine: Engine) -> None:
    day = KeyLimits(100, "day", raises=(Raise(50, NOON_S + 60),))
    keys.create(engine, rig.key("aaaa0000", limits=day, team="red", name="app"), ANN)
    keys.create(engine, rig.key("bbbb0000", limits=KeyLimits(100, None, 3600.0)), ANN)
    spend(engine, "aaaa0000", 30)
    found = {one.standing.limit.name: one for one in holders(engine)}
    assert found.keys() == {"key:aaaa0000", "key:bbbb0000"}
    of_red = found["key:aaaa0000"]
    assert (of_red.name, of_red.team, key_budgets.share(of_red.standing)) == ("app", "red", 0.2)
    assert of_red.standing.forecast(30) == 60
    assert found["key:bbbb0000"].standing.until_s is None
    assert [one.name for one in holders(engine, team="red")] == ["app"]
    with database.reading(engine) as connection:
        limit = key_budgets.limit_of("aaaa0000", day)
        assert limit is not None
        alone = key_budgets.standing(connection, "aaaa0000", limit, NOON_S)
        assert alone == of_red.standing
        limit = key_budgets.limit_of("cccc0000", day)
        assert limit is not None
        nothing = key_budgets.standing(connection, "cccc0000", limit, NOON_S)
        assert [one.nanousd for one in nothing.used] == [0]


def test_of_many_the_few_nearest_to_their_end(engine: Engine) -> None:
    order = list(range(9))
    random.Random(7).shuffle(order)
    for number in order:
        keys.create(engine, rig.key(f"aaaa000{number}", limits=KeyLimits(1000, "day")), ANN)
        spend(engine, f"aaaa000{number}", 100 * number)
    for most in (0, 3, 20):
        near = Nearest(most)
        for one in holders(engine):
            near.add(one)
        named = [one.standing.limit.name[-1] for one in near.found()]
        assert named == list("876543210")[:most]
        assert near.count == 9
