"""A recorder that is killed anywhere loses nothing and doubles nothing."""

import os
import random
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.record.rig import Writer, ledger_ids
from tests.stores import rig as stores

from tidegate.core.layout import Layout
from tidegate.record import recorder
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.stores import database

KILLS = pytest.mark.parametrize(
    "kills", [15, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)


def record_for_ever(layout: Layout, ready: int) -> None:
    """A recorder of small batches and short pauses, so that a kill meets it in any phase."""
    recorder.MAX_BATCH_RECEIPTS = 7
    recorder.PAUSE_S = recorder.IDLE_PAUSE_S = 0.001
    with database.claim_writer(layout.ledger_db):
        engine = database.open_engine(layout.ledger_db)
        os.write(ready, b"!")
        Recorder(layout, engine, Metrics()).run(threading.Event())


def write_for_ever(layout: Layout, told: Path) -> None:
    """A gateway that rolls its segments often and tells each id that it has written."""
    journal = Writer(layout.journal_of("g0"))
    with told.open("a", buffering=1) as file:
        while True:
            for _ in range(5):
                file.write("\n".join(journal.add_new(3)) + "\n")
                time.sleep(0.001)
            journal.roll()


def kill_a_recorder(layout: Layout, after_s: float) -> None:
    """Start one, let it work so long, and kill it."""
    is_ready, ready = os.pipe()
    pid = stores.in_child(partial(record_for_ever, layout, ready))
    os.close(ready)
    assert os.read(is_ready, 1) == b"!"
    os.close(is_ready)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    assert stores.exit_of(pid) == -signal.SIGKILL


@KILLS
def test_a_recorder_killed_at_random_points_loses_and_doubles_nothing(
    layout: Layout, engine: Engine, tmp_path: Path, kills: int
) -> None:
    draw, told = random.Random(5), tmp_path / "told"
    engine.dispose()
    gateway = stores.in_child(partial(write_for_ever, layout, told))
    try:
        for _ in range(kills):
            kill_a_recorder(layout, draw.uniform(0.0, 0.1))
    finally:
        os.kill(gateway, signal.SIGKILL)
        stores.exit_of(gateway)
    last = Recorder(layout, engine, Metrics())
    assert last.drain(max_steps=100_000)
    stored = ledger_ids(engine)
    written = told.read_text().split()
    assert len(written) > 300
    assert len(stored) == len(set(stored))
    # A frame may be whole though its gateway died before it could tell.
    assert set(written) <= set(stored)
    assert len(stored) - len(written) <= 3
    assert len(list(layout.journal_of("g0").glob("*.journal"))) == 1
    last.close()
