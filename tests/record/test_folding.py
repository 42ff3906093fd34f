"""When signals are stored, and what becomes of them while something fails."""

import logging
import random
import threading

import pytest
from sqlalchemy import Engine, select
from tests.record import signal_rig
from tests.record.rig import HandClock, Writer
from tests.stores import rig as stores

from tidegate.core.layout import Layout
from tidegate.core.receipt import Receipt
from tidegate.core.sli import Patience
from tidegate.core.turn_bound import TurnBound
from tidegate.record import folding
from tidegate.record.bins import Bins
from tidegate.record.folding import EVERY_S, Folding
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.stores import database
from tidegate.stores import signals as stored_signals
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.ledger import Ledger
from tidegate.stores.schema_signals import signals
from tidegate.stores.signal_bins import SPANS_S, SignalWriter


def some(count: int, seed: int = 1) -> list[Receipt]:
    return list(signal_rig.receipts(random.Random(seed), count))


@pytest.fixture
def one(engine: Engine, hand_clock: HandClock) -> Folding:
    return Folding(engine, "", monotonic_s=hand_clock)


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


def level(one: Folding) -> None:
    while one.step():
        pass
    assert one.is_level


def test_what_comes_is_stored_once_in_a_while(
    one: Folding, ledger: Ledger, engine: Engine, hand_clock: HandClock
) -> None:
    level(one)
    one.take(ledger.write(stores.entries(*some(20)), []))
    assert not one.step()
    assert signal_rig.stored(engine) == {}
    hand_clock.now_s += EVERY_S
    one.step()
    assert signal_rig.stored(engine) == signal_rig.expected(engine) != {}


def test_what_the_ledger_had_before_is_folded_part_by_part(
    one: Folding, ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "PART_RECEIPTS", 30)
    ledger.write(stores.entries(*some(100)), [])
    assert one.step()
    one.take(ledger.write(stores.entries(*some(10, 2)), []))
    level(one)
    assert signal_rig.stored(engine) == signal_rig.expected(engine)


def test_many_bins_do_not_wait(
    one: Folding, ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    level(one)
    monkeypatch.setattr(folding, "MANY_BINS", 5)
    one.take(ledger.write(stores.entries(*some(20)), []))
    one.step()
    assert signal_rig.stored(engine) == signal_rig.expected(engine)


def test_a_store_that_fails_is_tried_again_later_and_nothing_gathers_meanwhile(
    one: Folding,
    ledger: Ledger,
    engine: Engine,
    hand_clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    level(one)
    tries, failures = [], []
    one.tell_failed = lambda: failures.append(1)

    def fail(*_: object) -> None:
        tries.append(hand_clock.now_s)
        raise StoreUnavailable("it is gone")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(SignalWriter, "add", fail)
        for _ in range(600):
            one.take(ledger.write(stores.entries(*some(1, len(tries))), []))
            one.step()
            hand_clock.now_s += 1
    assert 20 < len(tries) < 60
    assert len(failures) == len(tries)
    assert [record.message for record in caplog.records if "signals wait" in record.message] == [
        "signals wait, receipts are read again later: it is gone"
    ]
    assert len(one._bins) == 0
    hand_clock.now_s += 60
    level(one)
    assert signal_rig.stored(engine) == signal_rig.expected(engine)


def test_a_receipt_that_cannot_be_folded_is_told_of_and_the_others_are(
    one: Folding,
    ledger: Ledger,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    level(one)
    odd, *others = some(5)
    fold = Bins.fold

    def stumble(self: Bins, receipt: Receipt) -> None:
        if receipt.id == odd.id:
            raise ValueError
        fold(self, receipt)

    monkeypatch.setattr(Bins, "fold", stumble)
    one.take(ledger.write(stores.entries(odd, *others), []))
    one.close()
    assert odd.id in caplog.text
    minutes = {key: it for key, it in signal_rig.stored(engine).items() if key[0] == 60}
    assert sum(row["counts"][0] for row in minutes.values()) == 4


def test_after_a_batch_in_doubt_signals_are_what_the_ledger_says(
    layout: Layout, engine: Engine, journal: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(layout, engine, Metrics())
    recorder.folding = Folding(engine, "", every_s=0.0)
    journal.add(*some(150))
    write, left = Ledger.write, [3]

    def answers_that_get_lost(*arguments: object) -> object:
        written = write(*arguments)  # type: ignore[arg-type]
        left[0] -= 1
        if left[0] >= 0:
            raise StoreUnavailable("the answer was lost")
        return written

    monkeypatch.setattr(Ledger, "write", answers_that_get_lost)
    for _ in range(12):
        recorder.step()
    journal.add(*some(10, 5))
    assert recorder.drain()
    recorder.close()
    assert len(signal_rig.in_ledger(engine)) == 160
    assert signal_rig.stored(engine) == signal_rig.expected(engine)


def test_what_a_recorder_has_is_stored_when_it_ends(
    layout: Layout, engine: Engine, journal: Writer
) -> None:
    recorder = Recorder(layout, engine, Metrics())
    recorder.drain()
    journal.add(*some(30))
    recorder.drain()
    assert signal_rig.stored(engine) == {}
    recorder.close()
    assert signal_rig.stored(engine) == signal_rig.expected(engine)


def test_older_receipts_keep_no_recorder_from_its_end(
    layout: Layout, engine: Engine, journal: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as those of years before there were signals: they are read at the next start."""
    monkeypatch.setattr(folding, "PART_RECEIPTS", 5)
    Ledger(engine).write(stores.entries(*some(100)), [])
    journal.add(*some(3, 1))
    recorder, stop = Recorder(layout, engine, Metrics()), threading.Event()
    stop.set()
    recorder.run(stop)
    assert len(signal_rig.in_ledger(engine)) == 103
    assert not recorder.folding.is_level
    again = Recorder(layout, engine, Metrics())
    again.drain()
    again.close()
    assert signal_rig.stored(engine) == signal_rig.expected(engine)


@pytest.mark.postgres
def test_several_recorders_of_one_database_each_fold_their_own(shared_engine: Engine) -> None:
    """Whether as they come or read again, and whoever stores in between."""
    for seed in range(12):
        ledgers = {node: Ledger(shared_engine, node) for node in ("a", "b")}
        folds = {node: Folding(shared_engine, node, every_s=0.0) for node in ledgers}
        for part, (node, ledger) in enumerate(ledgers.items()):
            new = ledger.write(stores.entries(*some(5, 2 * seed + part)), [])
            folds[node].take(new)
            if seed % 3:
                folds[node].step()
        for fold in folds.values():
            level(fold)
            fold.close()
    with database.reading(shared_engine) as connection:
        rows = connection.execute(select(signals.c.span_s, signals.c.node, signals.c.requests))
        sums: dict[tuple[int, str], int] = {}
        for span_s, node, requests in rows:
            sums[span_s, node] = sums.get((span_s, node), 0) + requests
    assert sums == {(span_s, node): 60 for span_s in SPANS_S for node in ("a", "b")}


def test_they_are_stored_in_time_however_seldom_the_loop_looks(
    one: Folding, ledger: Ledger, engine: Engine, hand_clock: HandClock
) -> None:
    one.every_s = lambda: 3600.0
    level(one)
    one.take(ledger.write(stores.entries(*some(3)), []))
    hand_clock.now_s += EVERY_S
    one.step()
    assert signal_rig.stored(engine) == signal_rig.expected(engine) != {}


def test_a_client_that_left_is_judged_by_its_route_s_patience(
    one: Folding, ledger: Ledger, engine: Engine
) -> None:
    one.judge_by(lambda route: Patience(1.0 if route == "talk" else 9.0))
    level(one)
    left = {"error_code": "client_closed", "error_fault": "caller", "cancelled_by": "client"}
    told = {**left, "stream": True, "ttft_s": None, "total_s": 5.0}
    receipts = [stores.receipt(route=route, **told) for route in ("talk", "chat")]
    one.take(ledger.write(stores.entries(*receipts), []))
    one.close()
    with database.reading(engine) as connection:
        found = {it.route: it.slis for it in stored_signals.minutes_after(connection, 0).minutes}
    assert found["talk"] == {"abandon": (0, 1), "availability": (0, 1)}
    assert found["chat"] == {"abandon": (0, 1)}


def test_other_numbers_of_an_objective_judge_what_comes_after_them(
    one: Folding, ledger: Ledger, engine: Engine
) -> None:
    declared = [Patience(turn=TurnBound(0.5, 0.01))]
    one.judge_by(lambda route: declared[-1])
    level(one)
    for bound in (declared[0], Patience(turn=TurnBound(0.5, 0.05))):
        declared.append(bound)  # a reload
        slow = [stores.receipt(total_s=1.0, output_tokens=20) for _ in range(3)]
        one.take(ledger.write(stores.entries(*slow), []))
    one.close()
    with database.reading(engine) as connection:
        [minute] = stored_signals.minutes_after(connection, 0).minutes
    assert minute.turns == (3, 3)
