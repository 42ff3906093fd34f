"""Signals are what the ledger says, whenever their recorder is killed: nothing lost or doubled."""

import os
import random
import signal
import threading
import time
from functools import partial

import pytest
from sqlalchemy import Engine, event
from tests.record import signal_rig
from tests.record.rig import Writer
from tests.record.signal_rig import CountingFold
from tests.stores import rig as stores

from tidegate.core.layout import Layout
from tidegate.record import folding, recorder
from tidegate.record.folding import Folding
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.stores import database

_KILLED = 9


def in_small_steps() -> None:
    """From now on recorders of this process, which is a child's, have small batches and short
    pauses, so that a kill meets them in any phase."""
    recorder.MAX_BATCH_RECEIPTS = 7
    recorder.PAUSE_S = recorder.IDLE_PAUSE_S = 0.001
    folding.PART_RECEIPTS = 5


def made(layout: Layout, engine: Engine, every_s: float = 0.0) -> Recorder:
    one = Recorder(layout, engine, Metrics())
    one.folding = Folding(engine, "", every_s=every_s, fold_of=CountingFold)
    return one


def check(engine: Engine) -> None:
    """Bins and blocks against the ledger."""
    assert signal_rig.stored(engine) == signal_rig.expected(engine)
    of_release = [one for one in signal_rig.in_ledger(engine) if one.rollout]
    found = [block for _, block in signal_rig.blocks_of(engine)]
    arms = [arm for block in found for arm in (block.stable, block.canary)]
    assert sum(arm.assigned for arm in arms) == len(of_release)
    assert sum(arm.units for arm in arms) == len({one.unit for one in of_release})
    bad = sum(arm.tallies["error"].bad for arm in arms if arm.assigned)
    assert bad == sum(one.error_code is not None for one in of_release)
    assert [block.number for block in found] == list(range(1, len(found) + 1))


def killed_at_statement(layout: Layout, number: int, every_s: float) -> None:
    """A recorder that ends, as by SIGKILL, before its statement of this number."""
    in_small_steps()
    with database.claim_writer(layout.ledger_db):
        engine = database.open_engine(layout.ledger_db)
        left = [number]

        def count(*_: object) -> None:
            left[0] -= 1
            if not left[0]:
                os._exit(_KILLED)

        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", count)
        made(layout, engine, every_s).drain(max_steps=40)


@pytest.mark.parametrize(("every_s", "kills"), [(0.0, 45), (0.02, 25)])
def test_killed_before_any_of_its_statements_signals_are_what_the_ledger_says(
    layout: Layout, engine: Engine, every_s: float, kills: int
) -> None:
    engine.dispose()
    draw = random.Random(7)
    journal = Writer(layout.journal_of("g0"))
    exits = set()
    for number in range(1, kills + 1):
        journal.add(*signal_rig.receipts(draw, 9))
        child = stores.in_child(partial(killed_at_statement, layout, number, every_s))
        exits.add(stores.exit_of(child))
    assert exits == {_KILLED}
    last = made(layout, engine, every_s)
    assert last.drain(max_steps=10_000)
    last.close()
    assert len(signal_rig.in_ledger(engine)) == kills * 9
    check(engine)


def record_for_ever(layout: Layout, ready: int) -> None:
    in_small_steps()
    with database.claim_writer(layout.ledger_db):
        engine = database.open_engine(layout.ledger_db)
        os.write(ready, b"!")
        made(layout, engine, 0.005).run(threading.Event())


def write_for_ever(layout: Layout) -> None:
    """A gateway that rolls its segments often."""
    draw, journal = random.Random(3), Writer(layout.journal_of("g0"))
    while True:
        for _ in range(5):
            journal.add(*signal_rig.receipts(draw, 3))
            time.sleep(0.004)
        journal.roll()


@pytest.mark.parametrize(
    "kills", [12, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
)
def test_killed_at_random_moments_signals_are_what_the_ledger_says(
    layout: Layout, engine: Engine, kills: int
) -> None:
    draw = random.Random(5)
    engine.dispose()
    gateway = stores.in_child(partial(write_for_ever, layout))
    try:
        for _ in range(kills):
            is_ready, ready = os.pipe()
            pid = stores.in_child(partial(record_for_ever, layout, ready))
            os.close(ready)
            assert os.read(is_ready, 1) == b"!"
            os.close(is_ready)
            time.sleep(draw.uniform(0.0, 0.1))
            os.kill(pid, signal.SIGKILL)
            assert stores.exit_of(pid) == -signal.SIGKILL
    finally:
        os.kill(gateway, signal.SIGKILL)
        stores.exit_of(gateway)
    last = made(layout, engine)
    assert last.drain(max_steps=100_000)
    last.close()
    assert len(signal_rig.in_ledger(engine)) > 50
    check(engine)
