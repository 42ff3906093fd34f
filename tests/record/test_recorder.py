"""The recorder loses nothing and doubles nothing, whatever fails around it."""

import threading

import pytest
from sqlalchemy import Engine
from tests.record.rig import HandClock, Writer, ledger_ids, receipt

from tidegate.core.layout import Layout
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import IDLE_PAUSE_S, LAST_RETRY_S, Recorder
from tidegate.stores import database
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.ledger import Ledger


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def figure(metrics: Metrics, name: str) -> float:
    """The sum over a metric's series."""
    return sum(cell.total for cell in metrics.families[name].cells.values())


def test_what_the_journal_holds_is_in_the_ledger_and_in_the_metrics(
    layout: Layout, engine: Engine, journal: Writer, metrics: Metrics
) -> None:
    ids = journal.add_new(5)
    told: list[tuple[str, int, int]] = []
    works = Recorder(layout, engine, metrics, recorded=lambda *where: told.append(where))
    assert works.drain()
    assert ledger_ids(engine) == ids
    assert figure(metrics, "tidegate_receipts_recorded_total") == 5
    assert told == [("g0", 1, journal.path.stat().st_size)]
    works.close()


def test_a_new_recorder_goes_on_where_the_last_one_was(
    layout: Layout, engine: Engine, journal: Writer
) -> None:
    ids = journal.add_new(3)
    first = Recorder(layout, engine, Metrics())
    first.drain()
    first.close()
    ids += journal.add_new(2)
    metrics = Metrics()
    second = Recorder(layout, engine, metrics)
    second.drain()
    assert ledger_ids(engine) == ids
    assert figure(metrics, "tidegate_receipts_recorded_total") == 2
    assert figure(metrics, "tidegate_receipts_repeated_total") == 0
    second.close()


def test_a_locked_ledger_only_makes_the_journal_wait(
    layout: Layout, engine: Engine, journal: Writer, metrics: Metrics
) -> None:
    impatient = database.open_engine(layout.ledger_db, busy_timeout_s=0.0)
    works = Recorder(layout, impatient, metrics)
    works.step()
    ids = journal.add_new(3)
    with database.writing(engine):
        pauses = [works.step() for _ in range(9)]
        assert pauses == sorted(pauses)
        assert pauses[-1] == LAST_RETRY_S
        ids += journal.add_new(2)
    assert ledger_ids(engine) == []
    assert works.drain()
    assert ledger_ids(engine) == ids
    assert figure(metrics, "tidegate_ledger_write_errors_total") == 9
    assert figure(metrics, "tidegate_receipts_recorded_total") == 5
    works.close()
    impatient.dispose()


def test_an_unforeseen_fault_is_tried_again_and_not_skipped(
    layout: Layout, engine: Engine, journal: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = journal.add_new(3)
    works = Recorder(layout, engine, Metrics())
    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "write", lambda *_: 1 / 0)
        assert works.step() > 0
        assert not works.drain(max_steps=2)
    assert works.drain()
    assert ledger_ids(engine) == ids
    works.close()


def test_a_full_disk_under_the_ledger_is_waited_out(
    layout: Layout, engine: Engine, journal: Writer, metrics: Metrics
) -> None:
    """SQLite's own page limit stands for the disk: the driver says `full` in both cases."""
    works = Recorder(layout, engine, metrics)
    works.step()
    ids = journal.add_new(400)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    engine.dispose()
    tight = database.open_engine(layout.ledger_db)
    with tight.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    starved = Recorder(layout, tight, metrics)
    assert not starved.drain(max_steps=3)
    assert ledger_ids(engine) == []
    with tight.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert starved.drain()
    assert ledger_ids(engine) == ids
    for one in (works, starved):
        one.close()
    tight.dispose()


def test_metrics_count_a_receipt_once_though_it_is_read_twice(
    layout: Layout, engine: Engine, journal: Writer, metrics: Metrics
) -> None:
    one, other = receipt(), receipt()
    journal.add(one, one, other)
    journal.roll()
    journal.add(other)
    works = Recorder(layout, engine, metrics)
    works.drain()
    assert sorted(ledger_ids(engine)) == sorted([one.id, other.id])
    assert figure(metrics, "tidegate_requests_total") == 2
    assert figure(metrics, "tidegate_receipts_repeated_total") == 2
    works.close()


def test_metrics_count_what_was_stored_by_a_commit_of_which_nobody_knew(
    layout: Layout,
    engine: Engine,
    journal: Writer,
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = journal.add_new(3)
    works = Recorder(layout, engine, metrics)
    write = works._ledger.write

    def lost(*batch: object) -> object:
        write(*batch)  # type: ignore[arg-type]
        raise StoreUnavailable("the reply to COMMIT is lost")

    with monkeypatch.context() as patched:
        patched.setattr(works._ledger, "write", lost)
        works.step()
    assert works.drain()
    ids += journal.add_new(2)
    assert works.drain()
    assert ledger_ids(engine) == ids
    assert figure(metrics, "tidegate_receipts_recorded_total") == 5
    assert figure(metrics, "tidegate_receipts_repeated_total") == 0
    works.close()


def test_a_store_that_takes_no_large_batch_in_time_is_given_smaller_ones(
    layout: Layout,
    engine: Engine,
    journal: Writer,
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = journal.add_new(1000)
    works = Recorder(layout, engine, metrics)
    write, sizes = works._ledger.write, []

    def slow(batch: list[object], positions: list[object]) -> object:
        sizes.append(len(batch))
        if len(batch) > 200:
            raise StoreUnavailable("no answer for 10 s")
        return write(batch, positions)  # type: ignore[arg-type]

    monkeypatch.setattr(works._ledger, "write", slow)
    while works.step() > IDLE_PAUSE_S:
        assert len(sizes) < 5
    assert sorted(ledger_ids(engine)) == sorted(ids)
    assert sizes[:3] == [1000, 500, 250]
    assert max(sizes[3:]) == 125
    assert figure(metrics, "tidegate_receipts_recorded_total") == 1000
    works.close()


def test_lag_and_damage_reach_the_metrics(
    layout: Layout, engine: Engine, journal: Writer, metrics: Metrics, hand_clock: HandClock
) -> None:
    works = Recorder(layout, engine, metrics, monotonic_s=hand_clock)
    journal.raw(b"torn")
    journal.roll()
    works.drain()
    hand_clock.now_s += 1
    works.step()
    text = metrics.render().decode()
    assert 'tidegate_journal_lag_bytes{gateway="g0"} 0.0' in text
    assert 'tidegate_journal_damaged_total{gateway="g0",kind="torn"} 1.0' in text
    works.close()


def test_it_takes_in_the_last_receipts_before_it_ends(
    layout: Layout, engine: Engine, journal: Writer
) -> None:
    stop = threading.Event()
    works = Recorder(layout, engine, Metrics())
    thread = threading.Thread(target=works.run, args=(stop,))
    thread.start()
    ids = journal.add_new(4)
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert ledger_ids(engine) == ids


def test_a_drain_that_took_in_only_a_part_says_so(
    layout: Layout, engine: Engine, journal: Writer
) -> None:
    journal.add_new(1)
    journal.roll()
    journal.add_new(1)
    works = Recorder(layout, engine, Metrics())
    assert not works.drain(max_steps=1)
    assert len(ledger_ids(engine)) == 1
    assert works.drain()
    assert len(ledger_ids(engine)) == 2
    works.close()


def test_an_idle_recorder_waits_before_it_looks_again(
    layout: Layout, engine: Engine, journal: Writer
) -> None:
    works = Recorder(layout, engine, Metrics())
    assert works.step() == IDLE_PAUSE_S
    journal.add_new(1)
    assert 0 < works.step() < IDLE_PAUSE_S
    works.close()


def test_the_ledgers_answer_decides_what_is_taken_as_recorded(
    layout: Layout, engine: Engine, journal: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that fails must not move the position that the gateway waits for."""
    journal.add_new(1)
    told: list[object] = []
    works = Recorder(layout, engine, Metrics(), recorded=lambda *where: told.append(where))

    def fails(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "write", fails)
        works.step()
    assert told == []
    works.step()
    assert len(told) == 1
    works.close()
