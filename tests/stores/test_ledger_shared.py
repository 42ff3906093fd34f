"""Several recorders on one database: each receipt once, whoever brings it and how often."""

import contextlib
import itertools
import random
import threading
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, select
from tests.postgres import Server
from tests.stores import rig

from tidegate.stores import database, ledger, retention, rollup, schema
from tidegate.stores.errors import StoreContended, StoreUnavailable
from tidegate.stores.ledger import Ledger, Position

pytestmark = pytest.mark.postgres


def counts(engine: Engine) -> tuple[int, int, int]:
    """Receipts, different ids among them, and requests in the sums."""
    c = schema.receipts.c
    with database.reading(engine) as connection:
        rows, ids = connection.execute(select(func.count(), func.count(c.id.distinct()))).one()
        added_up = connection.execute(select(func.sum(schema.spend.c.requests))).scalar()
    return rows, ids, int(added_up or 0)


def test_positions_of_machines_are_kept_apart(shared_engine: Engine) -> None:
    one, other = Ledger(shared_engine, "one"), Ledger(shared_engine, "other")
    one.write([], [Position("gateway-0", 3, 9)])
    other.write([], [Position("gateway-0", 1, 4), Position("gateway-1", 7, 7)])
    assert one.positions() == {"gateway-0": Position("gateway-0", 3, 9)}
    assert set(other.positions()) == {"gateway-0", "gateway-1"}
    assert Ledger(shared_engine).positions() == {}


def test_recorders_that_bring_the_same_receipts_at_once_store_each_once(
    shared_engine: Engine,
) -> None:
    """Batches overlap and come in any order: rows and sums are waited for in turn, or again."""
    made = [rig.receipt(rig.NOON_S + n * 90.0, key_id=f"key{n % 7}") for n in range(120)]
    new: list[str] = []

    def bring(seed: int) -> None:
        draw = random.Random(seed)
        store = Ledger(shared_engine, f"node-{seed}")
        for _ in range(12):
            batch = draw.sample(made, 25)
            while True:
                try:
                    new.extend(r.id for r in store.write(rig.entries(*batch), []))
                except StoreUnavailable:
                    continue
                break

    threads = [threading.Thread(target=bring, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(new) == len(set(new))
    assert counts(shared_engine) == (len(new), len(new), len(new))


def test_a_connection_that_is_lost_before_any_statement_costs_nothing(
    postgres: Server, shared_engine: Engine
) -> None:
    store = Ledger(shared_engine)
    left, lost, ended = [0], 0, False

    def lose(connection: Connection, *_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            link: Any = connection.connection.driver_connection
            postgres.end(link.info.backend_pid)

    event.listen(shared_engine, "before_cursor_execute", lose)
    for statement in itertools.count(1):
        left[0] = statement
        receipts = [rig.receipt(key_id=f"key{n}") for n in range(5)]
        at = Position("gateway-0", 1, statement)
        try:
            store.write(rig.entries(*receipts), [at])
            ended, left[0] = left[0] > 0, 0
        except StoreUnavailable:
            lost += 1
            assert store.write(rig.entries(*receipts), [at]) == receipts
        assert counts(shared_engine) == (5 * statement,) * 3
        assert store.positions() == {"gateway-0": at}
        if ended:
            break
    assert lost > 2


def test_while_old_receipts_leave_and_old_quarters_are_folded_no_sum_changes(
    shared_engine: Engine,
) -> None:
    """As when a machine that was away for long brings what its journals kept."""
    threads, receipts_each, before_s = 3, 200, rig.NOON_S
    working = threading.Barrier(threads + 1)

    def bring(seed: int) -> None:
        draw = random.Random(seed)
        store = Ledger(shared_engine, f"node-{seed}")
        working.wait()
        for _ in range(receipts_each // 10):
            times_s = [before_s + draw.uniform(-9000, 9000) for _ in range(10)]
            store.write(rig.entries(*(rig.receipt(at_s) for at_s in times_s)), [])

    bringing = [threading.Thread(target=bring, args=(seed,)) for seed in range(threads)]
    for thread in bringing:
        thread.start()
    working.wait()
    while any(thread.is_alive() for thread in bringing):
        for clear in (retention.roll_off, rollup.fold):
            with contextlib.suppress(StoreContended):  # who is in the way is left alone till later
                clear(shared_engine, before_s, chunk_rows=7)
    retention.roll_off(shared_engine, before_s)
    with database.reading(shared_engine) as connection:
        daily = connection.execute(select(func.sum(schema.receipts_daily.c.requests))).scalar()
    rows, _, added_up = counts(shared_engine)
    assert daily is not None and rows and rows + daily == added_up == threads * receipts_each


def test_what_is_in_the_way_is_tried_again_a_few_times_and_then_left_to_the_journal(
    shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_PAUSE_S", 0.0)
    store = Ledger(shared_engine)
    write, left = store._write, [0, 0]

    def in_the_way(*batch: object) -> object:
        left[1] += 1
        if left[0]:
            left[0] -= 1
            raise StoreContended("deadlock detected")
        return write(*batch)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_write", in_the_way)
    left[0] = 3
    assert len(store.write(rig.entries(rig.receipt()), [])) == 1
    left[:] = [9, 0]
    with pytest.raises(StoreUnavailable, match="deadlock"):
        store.write(rig.entries(rig.receipt()), [])
    assert left[1] == 4
    assert counts(shared_engine) == (1, 1, 1)


def test_a_commit_of_which_nobody_knows_is_done_once(
    postgres: Server, shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply to COMMIT is lost, after the server has done it."""
    batch = rig.entries(*(rig.receipt() for _ in range(50)))
    store = Ledger(shared_engine)
    lost = [True]
    do_commit = shared_engine.dialect.do_commit

    def commit(connection: object) -> None:
        do_commit(connection)  # type: ignore[arg-type]
        if lost.pop():
            postgres.kill()
            connection.execute("SELECT 1")  # type: ignore[attr-defined]

    monkeypatch.setattr(shared_engine.dialect, "do_commit", commit)
    with pytest.raises(StoreUnavailable):
        store.write(batch, [Position("gateway-0", 1, 9)])
    monkeypatch.undo()
    postgres.start()
    assert store.write(batch, [Position("gateway-0", 1, 9)]) == []
    assert counts(shared_engine) == (50, 50, 50)
    assert store.positions() == {"gateway-0": Position("gateway-0", 1, 9)}
