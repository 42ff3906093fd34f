"""Several recorders on one database: each receipt once, whoever brings it and how often."""

import random
import threading

import pytest
from sqlalchemy import Engine, func, select
from tests.postgres import Server
from tests.stores import rig

from tidegate.stores import database, ledger, schema
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
