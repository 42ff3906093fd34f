"""What the ledger says was spent is what its receipts add up to, for every scope and period."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine, delete, func, select
from tests.stores import rig, spendings

from tidegate.core.periods import period_at
from tidegate.core.plan import Limit
from tidegate.core.purpose import BATCH_HOLD
from tidegate.stores import budget_use, database, schema
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.ledger import Ledger, Position
from tidegate.stores.receipts import Filter
from tidegate.stores.shared import Shared
from tidegate.stores.spend_reader import SpendReader
from tidegate.stores.spending import QUARTER_S, quarter_of
from tidegate.stores.summary import summary

WIDE_S = {
    "hour": 3,
    "day": 60,
    "week": 400,
    "month": 1500,
    "quarter": 4500,
    "year": 18_000,
    "lifetime": 0,
}


def emptied(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for table in (schema.receipts, schema.spend, schema.journal_positions):
            connection.execute(delete(table))


@given(seed=st.integers(0, 10**9), limit=spendings.LIMITS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_a_period_of_the_calendar_is_what_its_receipts_add_up_to(
    engine: Engine, place: Path | Shared, seed: int, limit: Limit
) -> None:
    unit, zone = limit.unit or "day", limit.time_zone
    emptied(engine)
    draw = random.Random(seed)
    now_s = rig.NOON_S + draw.uniform(-1, 1) * 366 * 86_400
    start_s = period_at(unit, zone, now_s).start_s
    edges = [start_s - 0.001, float(start_s), start_s + 0.001]
    since_s = start_s - WIDE_S[unit] * 3600.0
    if unit == "lifetime":  # no receipt is from before 1970
        edges, since_s = [], rig.NOON_S - 1000 * 86_400
    times = [*edges, *(draw.uniform(since_s, now_s) for _ in range(30))]
    made = [spendings.some(draw, at_s) for at_s in times]
    Ledger(engine).write(rig.entries(*made), [])
    reader = SpendReader(place, timeout_s=5.0)
    with reader.snapshot() as snapshot:
        for one in spendings.scopes_of(limit, made):
            found = snapshot.spent(limit, one, start_s)
            expected = sum(
                spendings.counted(it, limit, one) for it in made if it.started_at_s >= start_s
            )
            assert sum(amount for at_s, amount in found if at_s >= start_s) == expected
    reader.close()


@pytest.mark.parametrize(("window_s", "late_s"), [(3600.0, 1.0), (7200.0, 900.0)])
def test_a_rolling_window_lets_go_of_nothing_early_and_of_little_late(
    engine: Engine, place: Path | Shared, window_s: float, late_s: float
) -> None:
    draw = random.Random(7)
    made = [rig.receipt(rig.NOON_S + draw.uniform(0, window_s), cost_nanousd=1) for _ in range(200)]
    Ledger(engine).write(rig.entries(*made), [])
    reader = SpendReader(place, timeout_s=5.0)
    with reader.snapshot() as snapshot:
        limit = Limit("b", "spend", 1, per_s=window_s)
        found = snapshot.spent(limit, "", rig.NOON_S)
    reader.close()
    told = sorted(at_s for at_s, amount in found for _ in range(amount))
    meant = sorted(one.started_at_s for one in made)
    assert len(told) == len(meant)
    assert all(-0.001 <= a - b <= late_s for a, b in zip(told, meant, strict=True))


def test_one_snapshot_knows_positions_and_receipts_of_one_moment(
    engine: Engine, place: Path | Shared
) -> None:
    ledger = Ledger(engine)
    first, second = rig.receipt(cost_nanousd=5), rig.receipt(cost_nanousd=6)
    limit = Limit("b", "spend", 1, unit="year")
    ledger.write([rig.entry(first)], [Position("g0", 1, 100)])
    reader = SpendReader(place, timeout_s=5.0)
    with reader.snapshot() as snapshot:
        assert snapshot.positions() == {"g0": (1, 100)}
        ledger.write([rig.entry(second)], [Position("g0", 2, 4)])
        assert snapshot.positions() == {"g0": (1, 100)}
        assert [amount for _, amount in snapshot.spent(limit, "", 0.0)] == [5]
        assert snapshot.recorded([first.id, second.id]) == {first.id}
    with reader.snapshot() as snapshot:
        assert snapshot.positions() == {"g0": (2, 4)}
        assert [amount for _, amount in snapshot.spent(limit, "", 0.0)] == [11]
    reader.close()


def test_a_receipt_that_cannot_be_read_is_not_counted_as_nothing(
    engine: Engine, place: Path | Shared
) -> None:
    one = rig.receipt(attributes={"project": "x"})
    Ledger(engine).write([(one, b"\xc1 x")], [])
    reader = SpendReader(place, timeout_s=5.0)
    limit = Limit("b", "spend", 1, ("attribute.project",), unit="month")
    with pytest.raises(StoreUnavailable, match="unreadable"), reader.snapshot() as snapshot:
        snapshot.spent(limit, "x", rig.NOON_S - 86_400)
    reader.close()


@pytest.mark.parametrize("rolled_up", [True, False])
def test_everything_since_then_is_what_every_receipt_adds_up_to(
    engine: Engine, place: Path | Shared, rolled_up: bool
) -> None:
    emptied(engine)
    since_s = float(quarter_of(rig.NOON_S - 9_000) * QUARTER_S)
    draw = random.Random(7)
    made = [spendings.some(draw, rig.NOON_S - draw.uniform(0, 20_000)) for _ in range(60)]
    Ledger(engine).write(rig.entries(*made), [])
    reader = SpendReader(place, timeout_s=5.0)
    with reader.snapshot() as snapshot:
        found = list(snapshot.every(since_s, rolled_up=rolled_up))
    reader.close()
    names = ["team", "key_id", "customer", "route", "target", "provider", "model_wanted"]
    for name in names if rolled_up else [*names, "session_id"]:
        sums: dict[object, int] = {}
        for one, amount in found:
            sums[getattr(one, name)] = sums.get(getattr(one, name), 0) + amount
        for one in made:
            if one.started_at_s >= since_s:
                for part, amount in spendings.by_target(one):
                    sums[getattr(part, name)] = sums.get(getattr(part, name), 0) - amount
        assert set(sums.values()) == {0}


@given(seed=st.integers(0, 10**9), limit=spendings.LIMITS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_a_short_window_is_what_its_receipts_add_up_to(
    engine: Engine, place: Path | Shared, seed: int, limit: Limit
) -> None:
    emptied(engine)
    draw = random.Random(seed)
    made = [spendings.some(draw, rig.NOON_S + draw.uniform(0, 600)) for _ in range(20)]
    Ledger(engine).write(rig.entries(*made), [])
    rolling = replace(limit, unit=None, per_s=900.0)
    reader = SpendReader(place, timeout_s=5.0)
    with reader.snapshot() as snapshot:
        for one in spendings.scopes_of(limit, made):
            found = snapshot.spent(rolling, one, rig.NOON_S)
            expected = sum(spendings.counted(it, limit, one) for it in made)
            assert sum(amount for _, amount in found) == expected
    reader.close()


@pytest.mark.parametrize("scope", ["team", "attribute.unit", "end_user"])
def test_what_a_batch_holds_counts_until_it_has_ended(
    engine: Engine, place: Path | Shared, scope: str
) -> None:
    """In sums by quarter, in receipts and in what only their own bytes tell."""
    fields = {"team": "t", "end_user": "u", "attributes": {"unit": "x"}, "attempts": []}
    held = rig.receipt(
        rig.NOON_S, purpose=BATCH_HOLD, cost_nanousd=None, most_nanousd=700, **fields
    )
    line = rig.receipt(rig.NOON_S, purpose="batch_line", cost_nanousd=30, **fields)
    ended = replace(held, id=rig.receipt(rig.NOON_S).id, most_nanousd=-700)
    limit = Limit("b", "spend", 1, (scope,), unit="month")
    value = {"team": "t", "attribute.unit": "x", "end_user": "u"}[scope]
    reader = SpendReader(place, timeout_s=5.0)

    def spent() -> tuple[int, int]:
        """As gateways begin with it, and as control tells it."""
        with reader.snapshot() as snapshot:
            first = sum(amount for _, amount in snapshot.spent(limit, value, rig.NOON_S - 900))
        with database.reading(engine) as connection:
            span = budget_use.Span(rig.NOON_S - 900, rig.NOON_S + 900)
            (one,) = budget_use.used(connection, (scope,), (), span)
        return first, one.nanousd

    ledger = Ledger(engine)
    for written, sum_nanousd in ((held, 700), (line, 730), (ended, 30), (ended, 30)):
        ledger.write(rig.entries(written), [])
        assert spent() == (sum_nanousd, sum_nanousd)
    with reader.snapshot() as snapshot:
        assert snapshot.receipt(held.id) == held
        assert snapshot.receipt("none") is None
        found = snapshot.holds(rig.NOON_S - 900, 9)
        assert sorted(found, key=lambda one: -(one.most_nanousd or 0)) == [held, ended]
        assert len(snapshot.holds(rig.NOON_S - 900, 1)) == 1
        assert snapshot.holds(rig.NOON_S + 900, 9) == []
        assert snapshot.holds(rig.NOON_S - 900, 9, "t") == found
        assert snapshot.holds(rig.NOON_S - 900, 9, "team-b") == []
    odd = replace(held, id=rig.receipt(rig.NOON_S).id, most_nanousd=0)
    ledger.write([(odd, b"of another kind")], [])
    with reader.snapshot() as snapshot:
        assert len(snapshot.holds(rig.NOON_S - 900, 9)) == 2
    reader.close()
    with database.reading(engine) as connection:
        assert connection.execute(select(func.sum(schema.spend.c.requests))).scalar_one() == 1
    sums = summary(engine, Filter()).sums
    assert (sums.requests, sums.cost_nanousd) == (1, 30)
