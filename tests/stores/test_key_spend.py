"""What keys with a budget of their own have spent, in one pass, in every kind of database."""

from sqlalchemy import Engine
from tests.stores import rig

from tidegate.core.key_limits import KeyLimits
from tidegate.stores import alerts, database, key_spend, keys
from tidegate.stores.audit import Author
from tidegate.stores.budget_use import Span
from tidegate.stores.ledger import Ledger

ANN = Author("ann", rig.NOON_S - 86_400)
NOON_S = rig.NOON_S // 900 * 900
DAY = KeyLimits(1000, "day")
ROLLING = KeyLimits(1000, None, 7200.0, requests_per_minute=5)
SPAN = Span(NOON_S - 3600, NOON_S)


def make(engine: Engine, key_id: str, limits: KeyLimits | None, **fields: object) -> None:
    keys.create(engine, rig.key(key_id, limits=limits, **fields), ANN)


def spend(engine: Engine, key_id: str, cost: int, at_s: float = NOON_S - 60) -> None:
    Ledger(engine).write(rig.entries(rig.receipt(at_s, key_id=key_id, cost_nanousd=cost)), [])


def found(engine: Engine, period: key_spend.Period, team: str | None = None) -> dict[str, int]:
    with database.reading(engine) as connection:
        rows = list(key_spend.spent(connection, period, SPAN, team))
        assert [one.key_id for one in rows] == sorted(one.key_id for one in rows)
        return {one.key_id: one.nanousd for one in rows}


def test_each_live_key_of_the_period_with_what_it_spent_in_the_span(engine: Engine) -> None:
    make(engine, "aaaa0000", DAY)
    make(engine, "aaaa0001", DAY, team="red")
    make(engine, "bbbb0000", ROLLING)
    make(engine, "cccc0000", None)
    make(engine, "cccc0001", KeyLimits(requests_per_minute=5))
    make(engine, "dddd0000", DAY, expires_at_s=NOON_S - 1)
    make(engine, "dddd0001", DAY)
    keys.revoke(engine, "dddd0001", ANN)
    for key_id in ("aaaa0000", "bbbb0000", "cccc0000", "dddd0000", "dddd0001"):
        spend(engine, key_id, 7)
    spend(engine, "aaaa0000", 5)
    spend(engine, "aaaa0000", 100, NOON_S - 7200)
    unknown = rig.receipt(NOON_S - 60, key_id="aaaa0000", cost_nanousd=None, most_nanousd=30)
    Ledger(engine).write(rig.entries(unknown), [])
    with database.reading(engine) as connection:
        assert key_spend.periods(connection, NOON_S) == {("day", None), (None, 7200.0)}
        assert key_spend.periods(connection, NOON_S, "red") == {("day", None)}
    assert found(engine, ("day", None)) == {"aaaa0000": 42, "aaaa0001": 0}
    assert found(engine, ("day", None), "red") == {"aaaa0001": 0}
    assert found(engine, (None, 7200.0)) == {"bbbb0000": 7}


def test_whoever_goes_through_them_may_ask_other_questions_meanwhile(engine: Engine) -> None:
    for number in range(5):
        make(engine, f"aaaa000{number}", DAY)
    with database.reading(engine) as connection:
        seen = [
            (one.key_id, alerts.noted(connection, [one.key_id], 0))
            for one in key_spend.spent(connection, ("day", None), SPAN)
        ]
    assert len(seen) == 5
