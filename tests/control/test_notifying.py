"""Notices reach people once a second, each way by itself, whatever fails in between."""

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from tests.stores import rig
from tests.stores.test_notices import NOON_S, note, tell

from tidegate.control import notifying, sending
from tidegate.control.notifying import Notifying
from tidegate.core.declared_notifications import DeclaredNotifications, DeclaredWay
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.ways import Place
from tidegate.stores import database, deliveries
from tidegate.stores.schema_notices import deliveries as table

Said = list[tuple[str, str, tuple[str, ...]]]


class Spoken:
    """A way that keeps what it is told; `fails` are the next answers."""

    reads = needs = frozenset[str]()
    repeatable = True
    renew_s: float | None = None

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.fails: list[Exception] = []

    def complaint(self, declared: DeclaredWay) -> str | None:
        return None

    def send(self, message: Message, to: Place, now_s: float) -> str | None:
        if self.fails:
            raise self.fails.pop(0)
        self.told.append(message)
        return None

    def said(self) -> Said:
        return [
            (one.id, "over" if one.ends else "new", tuple(sorted(n.key for n in one.notices)))
            for one in self.told
        ]


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[str, Spoken]:
    found = {"chat": Spoken(), "mail": Spoken()}
    monkeypatch.setattr(sending.plugs, "load", lambda _room, name: found[name])
    return found


WAYS = {
    "chat": DeclaredWay("chat", topics=("burn", "release")),
    "mail": DeclaredWay("mail", severities=("page",)),
}


def made(engine: Engine, ways: dict[str, DeclaredWay] = WAYS) -> Notifying:
    declared = DeclaredNotifications(source="test", ways=ways)
    return Notifying(engine, lambda: declared, {}, lambda: True)


def pass_over(it: Notifying, now_s: float = NOON_S) -> None:
    for way in it.look(now_s):
        it.serve(way)


def test_each_way_is_told_what_it_asked_for(engine: Engine, kinds: dict[str, Spoken]) -> None:
    it = made(engine)
    note(engine, tell("a"))
    note(engine, tell("b", severity="page"))
    note(engine, tell("c", topic="budget", severity="page"))
    note(engine, tell("d", topic="budget"))
    pass_over(it)
    assert sorted(keys for _, _, keys in kinds["chat"].said()) == [("a",), ("b",)]
    assert sorted(keys for _, _, keys in kinds["mail"].said()) == [("b",), ("c",)]
    pass_over(it)
    assert len(kinds["chat"].told) == len(kinds["mail"].told) == 2
    note(engine, tell("b", resolved=True))
    pass_over(it)
    assert kinds["chat"].said()[2][1:] == kinds["mail"].said()[2][1:] == ("over", ("b",))
    assert it.tries == {("chat", "delivered"): 3, ("mail", "delivered"): 3}


def test_one_that_is_down_delays_no_other_and_is_told_the_same_again(
    engine: Engine, kinds: dict[str, Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_pause_s", lambda *_: 0.0)
    it = made(engine)
    kinds["chat"].fails = [NotDelivered("away"), ZeroDivisionError("a bug")]
    note(engine, tell("a", severity="page"))
    pass_over(it)
    assert len(kinds["mail"].told) == 1 and kinds["chat"].told == []
    note(engine, tell("a", resolved=True))
    for _ in range(3):
        pass_over(it)
    first, over = kinds["chat"].told
    assert (first.ends, over.ends) == (None, first.id)
    assert first.notices[0].resolved_at_s is None  # as it would have been said at once
    assert over.notices[0].resolved_at_s is not None
    assert it.tries["chat", "failed"] == 2


def test_what_nobody_knows_of_is_sent_again_only_where_its_receiver_knows_it(
    engine: Engine, kinds: dict[str, Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_pause_s", lambda *_: 0.0)
    kinds["chat"].repeatable = False
    for kind in kinds.values():
        kind.fails = [NotDelivered("no answer", unknown=True)]
    it = made(engine)
    note(engine, tell("a", severity="page"))
    pass_over(it)
    pass_over(it)
    assert kinds["chat"].told == [] and len(kinds["mail"].told) == 1
    assert it.tries["chat", "unknown"] == 1


def test_a_way_that_the_plan_lost_by_mistake_is_told_once_it_is_back(
    engine: Engine, kinds: dict[str, Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_pause_s", lambda *_: 0.0)
    note(engine, tell("a"))
    made(engine).look(NOON_S)
    pass_over(made(engine, {}))
    with database.reading(engine) as connection:
        (row,) = connection.execute(select(table.c.state, table.c.error)).all()
    assert tuple(row) == ("waiting", "the plan has no such way any more")
    pass_over(made(engine))
    assert len(kinds["chat"].told) == 1


def test_while_nobody_knows_which_ways_there_are_everything_waits(
    engine: Engine, kinds: dict[str, Spoken]
) -> None:
    note(engine, tell("a"))
    blind = Notifying(engine, lambda: None, {}, lambda: True)
    assert blind.look(NOON_S) == []
    blind.serve("chat")
    pass_over(made(engine))
    assert len(kinds["chat"].told) == 1


def test_what_is_told_to_nobody_is_said_where_there_are_ways(
    engine: Engine, kinds: dict[str, Spoken], caplog: pytest.LogCaptureFixture
) -> None:
    for ways, said in (({}, False), (WAYS, True)):
        note(engine, tell(f"d{said}", topic="budget"))
        with caplog.at_level(logging.WARNING):
            pass_over(made(engine, ways))
        assert ("nobody is told of 1 notices" in caplog.text) is said


def test_what_still_holds_is_said_again_where_that_is_wanted(
    engine: Engine, kinds: dict[str, Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds["chat"].renew_s = 60.0
    at_s = [1000.0]
    monkeypatch.setattr(notifying.clock, "monotonic_s", lambda: at_s[0])
    monkeypatch.setattr(notifying.clock, "wall_s", lambda: NOON_S + at_s[0])
    it = made(engine)
    for key in ("a", "b"):
        note(engine, tell(key))
    pass_over(it)
    at_s[0] += 30
    assert it.look(NOON_S) == []
    note(engine, tell("a", resolved=True), NOON_S + at_s[0])
    at_s[0] += 30
    pass_over(it)
    renewed = kinds["chat"].told[2]
    assert {(one.key, one.resolved_at_s is None) for one in renewed.notices} == {
        ("a", False),
        ("b", True),
    }
    pass_over(made(engine))  # after a start too
    assert len(kinds["chat"].told[-1].notices) == 2


def test_what_became_of_it_is_written_down_once_the_store_is_back(
    engine: Engine, kinds: dict[str, Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifying, "_WRITE_AGAIN_S", (0.0, 0.0, 0.0))
    delivered = deliveries.delivered
    away: list[Any] = [1, 1]

    def fails_twice(*arguments: Any) -> None:
        if away:
            away.pop()
            raise notifying.StoreError("locked")
        delivered(*arguments)

    monkeypatch.setattr(deliveries, "delivered", fails_twice)
    note(engine, tell("a"))
    it = made(engine)
    pass_over(it)
    pass_over(it)
    assert len(kinds["chat"].told) == 1


def watched(it: Notifying, until: Callable[[], bool]) -> None:
    async def run() -> None:
        task = asyncio.get_running_loop().create_task(it.watch())
        for _ in range(4000):
            if until():
                break
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert until()


def test_it_looks_while_it_leads_and_waits_at_its_end_for_what_is_under_way(
    tmp_path: Path, kinds: dict[str, Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifying, "LOOK_S", 0.01)
    engine = rig.migrated(tmp_path / "ledger.db")
    sending_now, go_on = threading.Event(), threading.Event()

    def slowly(message: Message, to: Place, now_s: float) -> str | None:
        sending_now.set()
        threading.Timer(0.05, go_on.set).start()
        assert go_on.wait(5)
        return None

    monkeypatch.setattr(kinds["chat"], "send", slowly)
    note(engine, tell("a"))
    declared = DeclaredNotifications(ways={"chat": WAYS["chat"]})
    asked: list[int] = []

    def leads() -> bool:
        asked.append(1)
        return len(asked) > 3

    it = Notifying(engine, lambda: declared, {}, leads)
    watched(it, sending_now.is_set)
    assert len(asked) > 3
    with database.reading(engine) as connection:
        assert connection.execute(select(table.c.state)).scalars().all() == ["delivered"]
    engine.dispose()


def test_a_store_that_fails_ends_no_watch(
    tmp_path: Path, kinds: dict[str, Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifying, "LOOK_S", 0.001)
    engine = rig.migrated(tmp_path / "ledger.db")
    with database.writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE notices")
    it = made(engine)
    looks: list[float] = []
    look = it.look

    def counted(now_s: float) -> list[str]:
        looks.append(now_s)
        return look(now_s)

    monkeypatch.setattr(it, "look", counted)
    watched(it, lambda: len(looks) > 3)
    engine.dispose()
