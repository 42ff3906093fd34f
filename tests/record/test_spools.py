"""Spools into the store: once, whatever is killed, and nothing of what was said anywhere else."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine
from tests.record.rig import framed
from tests.stores import rig
from tests.stores.said import NOON_S, captured, feedback, recorded, table_bytes

from tidegate.core.capture import Captured, encode_captured
from tidegate.core.deletion import Deletion
from tidegate.core.feedback import encode_feedback
from tidegate.core.layout import Layout
from tidegate.core.spool import FINISHED, GROWING, MAGIC, SpoolName
from tidegate.record.spools import LOOK_S, Spools
from tidegate.stores import captures, database
from tidegate.stores import feedback as feedback_of
from tidegate.stores.errors import RowRefused, StoreUnavailable

CANARY = "canary-9f2c"


def segment(
    layout: Layout, name: SpoolName, *payloads: bytes, number: int = 1, suffix: str = FINISHED
) -> Path:
    folder = layout.spool_of(name, "gateway-0")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:012d}{suffix}"
    path.write_bytes(MAGIC + b"".join(framed(it) for it in payloads))
    return path


def spools(layout: Layout, engine: Engine) -> Spools:
    return Spools(layout, engine, wall_s=lambda: NOON_S + 60.0)


def said(number: int = 0, **fields: object) -> bytes:
    return encode_captured(captured(NOON_S, number, **{"answer": CANARY, **fields}))


def kept(engine: Engine) -> list[Captured]:
    with database.reading(engine) as connection:
        return captures.newest(connection, captures.Which(), NOON_S)


def test_segments_are_stored_and_deleted(layout: Layout, engine: Engine) -> None:
    receipt = recorded(engine)
    paths = [
        segment(layout, "captured", said(1), said(2)),
        segment(layout, "captured", said(2), said(3), number=2),
        segment(layout, "feedback", encode_feedback(feedback(receipt, rating=-1.0))),
    ]
    it = spools(layout, engine)
    assert it.look(0.0) == LOOK_S
    assert len(kept(engine)) == 3
    assert not any(path.exists() for path in paths)
    assert it.counts == {
        ("captured", "stored"): 3,
        ("captured", "dropped"): 1,
        ("feedback", "attached"): 1,
    }
    assert b'tidegate_spooled_total{outcome="stored",spool="captured"} 3.0' in it.render()
    assert CANARY.encode() not in it.render()


def test_what_a_gateway_still_writes_is_left_and_what_a_dead_one_wrote_is_not(
    layout: Layout, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = segment(layout, "captured", said(), suffix=GROWING)
    with path.open("ab") as file:
        file.write(b"torn")
    with monkeypatch.context() as living:
        living.setattr("tidegate.record.spools.take_free_lock", lambda folder: None)
        it = spools(layout, engine)
        it.step()
        assert path.exists() and kept(engine) == []
    it.step()
    assert len(kept(engine)) == 1
    assert list(path.parent.glob("*.*")) == []
    assert it.counts["captured", "damaged"] == 1


@pytest.mark.parametrize("data", [b"", b"TGJ1", MAGIC + b"\0" * 40, MAGIC + framed(b"\xff")])
def test_damage_is_counted_and_kept_nowhere(layout: Layout, engine: Engine, data: bytes) -> None:
    path = segment(layout, "captured")
    path.write_bytes(data)
    it = spools(layout, engine)
    assert it.look(0.0) == LOOK_S
    assert it.counts["captured", "damaged"] == (1 if data else 0)
    assert list(path.parent.iterdir()) == []


def test_a_store_that_is_away_leaves_everything_where_it_is(
    layout: Layout, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = segment(layout, "captured", said())
    it = spools(layout, engine)
    with monkeypatch.context() as away:

        def refuse(*_: object) -> None:
            raise StoreUnavailable("away")

        away.setattr(captures, "store", refuse)
        assert it.look(0.0) == LOOK_S
        assert it.look(4.0) > LOOK_S
        assert path.exists()
    it.look(0.0)
    assert len(kept(engine)) == 1


def test_what_goes_wrong_is_told_without_what_was_said(
    layout: Layout,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def break_(*_: object) -> None:
        raise RuntimeError(CANARY)

    path = segment(layout, "captured", said())
    monkeypatch.setattr(captures, "store", break_)
    it = spools(layout, engine)
    assert it.look(0.0) == LOOK_S
    assert "RuntimeError" in caplog.text and CANARY not in caplog.text
    assert it.counts == {("captured", "refused"): 1}
    assert not path.exists()


def test_one_record_that_is_refused_keeps_no_other_back(
    layout: Layout, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = captures.store

    def picky(connection: Connection, several: list[Captured], now_s: float) -> int:
        if any(it.answer == "bad" for it in several):
            raise RowRefused("no column holds that")
        return store(connection, several, now_s)

    monkeypatch.setattr(captures, "store", picky)
    segment(layout, "captured", said(1), said(2, answer="bad"), said(3))
    it = spools(layout, engine)
    it.step()
    assert it.counts == {("captured", "stored"): 2, ("captured", "refused"): 1}
    assert len(kept(engine)) == 2


def test_deletion_reaches_what_lies_in_a_spool(layout: Layout, engine: Engine) -> None:
    segment(layout, "captured", said(1, customer="acme"), said(2, customer="beta", answer="x"))
    comment = feedback("waiting", "comment", customer="acme", comment=CANARY)
    segment(layout, "feedback", encode_feedback(comment))
    with database.writing(engine) as connection:
        captures.remove(connection, Deletion(NOON_S + 30, customer="acme"), NOON_S + 30)
    spools(layout, engine).step()
    assert [it.customer for it in kept(engine)] == ["beta"]
    assert CANARY.encode() not in table_bytes(engine)
    left = b"".join(path.read_bytes() for path in layout.spool.rglob("*") if path.is_file())
    assert CANARY.encode() not in left


def test_feedback_that_waits_is_attached_when_its_receipt_comes(
    layout: Layout, engine: Engine
) -> None:
    later = rig.id_at(NOON_S)
    segment(layout, "feedback", encode_feedback(feedback(later, rating=1.0)))
    it = spools(layout, engine)
    it.step()
    recorded(engine, id=later)
    it._attach_at_s = float("-inf")
    it.step()
    with database.reading(engine) as connection:
        [one] = feedback_of.newest(connection, feedback_of.Which())
    assert one.receipt_id == later


def killed(layout: Layout, at: str) -> None:
    """Ends right before or right after the transaction that stores a segment is committed."""
    engine = database.open_engine(layout.ledger_db)
    unlink: Callable[..., None] = Path.unlink

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if at == "stored":
        Path.unlink = die  # type: ignore[method-assign]
    else:
        captures.store = die  # type: ignore[assignment]
    try:
        spools(layout, engine).step()
    finally:
        Path.unlink = unlink  # type: ignore[method-assign]


@pytest.mark.parametrize("at", ["read", "stored"])
def test_killed_in_between_each_is_stored_once(layout: Layout, at: str) -> None:
    engine = rig.migrated(layout.ledger_db)
    engine.dispose()
    path = segment(layout, "captured", *(said(n) for n in range(20)))
    assert rig.exit_of(rig.in_child(lambda: killed(layout, at))) == -signal.SIGKILL
    assert path.exists()
    engine = database.open_engine(layout.ledger_db)
    spools(layout, engine).step()
    assert len(kept(engine)) == 20 and not path.exists()
    engine.dispose()
