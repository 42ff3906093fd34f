import random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, text
from tests.stores import rig

from tidegate.core.receipt import Receipt
from tidegate.stores import database, receipts, retention, schema
from tidegate.stores.ledger import Ledger
from tidegate.stores.summary import summary

DAY_S = 86_400.0


def some(draw: random.Random) -> Receipt:
    return rig.receipt(
        rig.NOON_S + draw.uniform(-5, 5) * DAY_S,
        team=draw.choice([None, "blue", "red"]),
        key_id=draw.choice(["aaaa0000", "bbbb0000"]),
        route=draw.choice([None, "fast"]),
        target=draw.choice([None, "small", "large"]),
        input_tokens=draw.choice([None, 0, 10]),
        cache_read_tokens=draw.choice([None, 3]),
        output_tokens=draw.choice([None, 7]),
        reasoning_tokens=draw.choice([None, 0, 2]),
        cost_nanousd=draw.choice([None, 0, 10**9]),
        error_code=draw.choice([None, None, "internal"]),
        interrupted=draw.choice([True, False]),
        attempts=draw.choice([[], rig.receipt().attempts]),
    )


def totals(engine: Engine) -> dict[str, int]:
    """All that the ledger ever took in; a sum of nothing known is 0."""
    sums = msgspec.structs.asdict(summary(engine, receipts.Filter()).sums)
    return {name: value or 0 for name, value in sums.items()}


def daily(engine: Engine) -> list[dict[str, Any]]:
    with database.reading(engine) as connection:
        found = connection.execute(select(schema.receipts_daily).order_by(text("day")))
        return [dict(row._mapping) for row in found]


@given(
    seed=st.integers(0, 10**6),
    count=st.integers(0, 60),
    chunk=st.integers(1, 25),
    cuts=st.lists(st.floats(-6, 6), min_size=1, max_size=3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_totals_never_change(
    engine: Engine, seed: int, count: int, chunk: int, cuts: list[float]
) -> None:
    with database.writing(engine) as connection:
        connection.execute(delete(schema.receipts))
        connection.execute(delete(schema.receipts_daily))
    draw = random.Random(seed)
    made = [some(draw) for _ in range(count)]
    Ledger(engine).write(rig.entries(*made), [])
    before = totals(engine)
    assert before["requests"] == count
    for days in cuts:
        cut_s = rig.NOON_S + days * DAY_S
        retention.roll_off(engine, cut_s, chunk_rows=chunk)
        assert totals(engine) == before
        left = receipts.recent(engine, receipts.Filter(), limit=1000)
        assert all(r.started_at_s >= cut_s - 0.002 for r in left)
    last_s = rig.NOON_S + max(cuts) * DAY_S
    expected = {r.id for r in made if r.id >= receipts.first_id_at(last_s)}
    assert {r.id for r in receipts.recent(engine, receipts.Filter(), limit=1000)} == expected


def test_the_days_say_what_is_gone_by_name(engine: Engine) -> None:
    Ledger(engine).write(
        rig.entries(
            rig.receipt(rig.NOON_S, cost_nanousd=5, team=None),
            rig.receipt(rig.NOON_S + 1, cost_nanousd=7, team=None),
            rig.receipt(rig.NOON_S + DAY_S, cost_nanousd=None),
        ),
        [],
    )
    assert retention.roll_off(engine, rig.NOON_S + 10 * DAY_S) == 3
    today = int(rig.NOON_S // DAY_S)
    first, second = daily(engine)
    assert (first["day"], first["team"], first["route"]) == (today, "", "chat-fast")
    assert (first["requests"], first["cost_nanousd"], first["cost_unknown"]) == (2, 12, 0)
    assert (second["day"], second["team"], second["cost_unknown"]) == (today + 1, "blue", 1)


def test_the_work_of_one_call_is_bounded(engine: Engine) -> None:
    made = [rig.receipt(rig.NOON_S + n) for n in range(30)]
    Ledger(engine).write(rig.entries(*made), [])
    later_s = rig.NOON_S + DAY_S
    assert retention.roll_off(engine, later_s, chunk_rows=10, chunks=2) == 20
    assert retention.roll_off(engine, later_s, chunk_rows=10, chunks=2) == 10
    assert retention.roll_off(engine, later_s) == 0


def test_a_receipt_that_arrives_after_its_day_was_rolled_off_is_added(engine: Engine) -> None:
    ledger = Ledger(engine)
    for _ in range(2):
        ledger.write([rig.entry(rig.receipt())], [])
        retention.roll_off(engine, rig.NOON_S + DAY_S)
    (day,) = daily(engine)
    assert day["requests"] == 2
