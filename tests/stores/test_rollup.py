"""The rollup is what its receipts add up to, whatever came twice, was cut off, or is no figure."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select
from tests.stores import rig, spendings

from tidegate.core.earlier_cost import EarlierCost
from tidegate.core.receipt import Receipt
from tidegate.stores import database, migrate, retention, rollup, schema
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.ledger import Ledger, Position
from tidegate.stores.spending import KEPT_S, QUARTER_S, ROLLED_UP, quarter_of

Sums = dict[tuple[Any, ...], Counter[str]]


def rows(engine: Engine) -> Sums:
    with database.reading(engine) as connection:
        found = [dict(row._mapping) for row in connection.execute(select(schema.spend))]
    return {
        tuple(row[name] for name in rollup.KEY): Counter({n: row[n] for n in rollup.SUMS})
        for row in found
    }


def added_up(receipts: list[Receipt]) -> Sums:
    sums: Sums = {}
    for one in receipts:
        *earlier, (_, last) = spendings.by_target(one)
        unknown, quarter = one.cost_nanousd is None, quarter_of(one.started_at_s)
        for part, nanousd in [*(it for it in earlier if it[1]), (one, last)]:
            names = (getattr(part, column) or "" for column in ROLLED_UP.values())
            row = sums.setdefault((quarter, *names), Counter())
            row["most_nanousd" if unknown else "cost_nanousd"] += nanousd
            row["cost_estimated_nanousd"] += nanousd if one.tokens_estimated and not unknown else 0
        row["requests"] += 1
        for name in schema.TOKEN_COLUMNS:
            row[name] += getattr(one, name) or 0
        row["cost_unknown"] += int(unknown and bool(one.attempts))
    return sums


@given(
    seed=st.integers(0, 10**9),
    batches=st.lists(st.lists(st.integers(0, 20), max_size=12), max_size=6),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_it_is_what_its_receipts_add_up_to_however_often_they_come(
    engine: Engine, seed: int, batches: list[list[int]]
) -> None:
    with database.writing(engine) as connection:
        connection.execute(delete(schema.receipts))
        connection.execute(delete(schema.spend))
    draw = random.Random(seed)
    made = [spendings.some(draw, rig.NOON_S + draw.uniform(0, 2000)) for _ in range(21)]
    ledger = Ledger(engine)
    for batch in batches:
        ledger.write(rig.entries(*(made[n] for n in batch)), [])
    there = {n for batch in batches for n in batch}
    assert rows(engine) == added_up([made[n] for n in sorted(there)])


def test_what_was_not_stored_was_not_added(path: Path) -> None:
    engine = rig.migrated(path)
    impatient = database.open_engine(path, busy_timeout_s=0.0)
    with database.writing(engine), pytest.raises(StoreUnavailable):
        Ledger(impatient).write([rig.entry(rig.receipt())], [Position("g0", 1, 9)])
    impatient.dispose()
    assert rows(engine) == {}
    engine.dispose()


@pytest.mark.parametrize("started_at_s", [float("nan"), float("inf"), -5.0, 1e300])
def test_a_time_that_is_no_date_stops_nothing(engine: Engine, started_at_s: float) -> None:
    odd = rig.receipt(cost_nanousd=7)
    odd.started_at_s = started_at_s
    Ledger(engine).write([rig.entry(odd)], [])
    ((key, sums),) = rows(engine).items()
    assert (key[0], sums["cost_nanousd"]) == (0, 7)


def test_figures_that_cannot_be_are_unknown_here_too(engine: Engine) -> None:
    Ledger(engine).write(
        rig.entries(
            rig.receipt(cost_nanousd=2**63), rig.receipt(cost_nanousd=None, most_nanousd=3)
        ),
        [],
    )
    (sums,) = rows(engine).values()
    assert (sums["cost_nanousd"], sums["cost_unknown"], sums["most_nanousd"]) == (0, 2, 3)


def test_it_outlives_its_receipts_and_after_thirteen_months_is_one_sum(engine: Engine) -> None:
    made = [rig.receipt(rig.NOON_S + n * QUARTER_S, cost_nanousd=n + 1) for n in range(10)]
    made.append(rig.receipt(rig.NOON_S, cost_nanousd=100, team="other"))
    Ledger(engine).write(rig.entries(*made), [])
    retention.roll_off(engine, rig.NOON_S + 86_400)
    assert rows(engine) == added_up(made)
    assert KEPT_S > 396 * 86_400
    assert rollup.fold(engine, rig.NOON_S + 3 * QUARTER_S, chunk_rows=2) == 4
    later = added_up(made[3:10])
    assert {key: sums for key, sums in rows(engine).items() if key[0]} == later
    old = {key[2]: sums for key, sums in rows(engine).items() if not key[0]}
    assert {team: sums["cost_nanousd"] for team, sums in old.items()} == {"blue": 6, "other": 100}
    assert old["blue"]["requests"] == 3
    assert rollup.fold(engine, rig.NOON_S + 3 * QUARTER_S) == 0
    assert rollup.fold(engine, rig.NOON_S + 5 * QUARTER_S) == 2
    assert sum(sums["cost_nanousd"] for sums in rows(engine).values()) == 155


def test_a_database_of_before_is_filled_from_its_receipts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = rig.migrated_to(tmp_path / "ledger.db", "0003", monkeypatch)
    draw = random.Random(3)
    made = [spendings.some(draw, rig.NOON_S + draw.uniform(0, 5000)) for _ in range(60)]
    for one in made:
        one.model_wanted = one.most_nanousd = one.earlier_costs = None
    new = {"seq", "model_wanted", "most_nanousd", "validity", "model_refusal", "node"}
    new |= {"prompt", "prompt_version", "rung"}
    old = [c.name for c in schema.receipts.columns if c.name not in new]
    table = sa.table("receipts", *(sa.column(name) for name in old))
    with database.writing(engine) as connection:
        for one in made:
            values = {name: getattr(one, name, b"") for name in old}
            connection.execute(table.insert().values({**values, "attempts": len(one.attempts)}))
    migrate.migrate(engine)
    assert rows(engine) == added_up(made)
    engine.dispose()


def test_what_a_failed_attempt_cost_is_in_its_own_target_s_row_and_the_request_in_the_last(
    engine: Engine,
) -> None:
    costs = [EarlierCost(30, "a", "p", "m\0"), EarlierCost(40, "c", "p")]
    one = rig.receipt(cost_nanousd=100, target="b", earlier_costs=costs)
    Ledger(engine).write([rig.entry(one)], [])
    found = {
        key[6]: (sums["cost_nanousd"], sums["requests"], sums["input_tokens"])
        for key, sums in rows(engine).items()
    }
    assert found == {"a": (30, 0, 0), "c": (40, 0, 0), "b": (30, 1, 100)}


def test_a_probe_s_earlier_costs_are_nobody_s_either(engine: Engine) -> None:
    one = rig.receipt(key_id=None, purpose="probe", earlier_costs=[EarlierCost(30, "a")])
    Ledger(engine).write([rig.entry(one)], [])
    assert rows(engine) == {}
