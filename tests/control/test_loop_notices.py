"""People are told when the loop's ticks come to nothing, and when they do again."""

import asyncio

import pytest
from sqlalchemy import Engine

from tidegate.control import loop_notices
from tidegate.control.loop import Status
from tidegate.control.loop_notices import PATIENCE_S, LoopNotices
from tidegate.core.notice import Notice
from tidegate.stores import database, notices


class Loop:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.status = Status()
        self.leads = True

    def tick(self, problem: str | None = None) -> None:
        self.status = Status(problem=problem)

    def watched(self) -> LoopNotices:
        return LoopNotices(self.engine, lambda: self.status, lambda: self.leads)

    def told(self) -> list[Notice]:
        with database.reading(self.engine) as connection:
            return notices.recent(connection)


def test_a_problem_that_lasts_is_told_once_until_it_is_over(engine: Engine) -> None:
    loop = Loop(engine)
    it = loop.watched()
    loop.tick()
    it.look(0.0)
    loop.tick("the database is away")
    for now_s in (1.0, PATIENCE_S):
        it.look(now_s)
    assert loop.told() == []
    for now_s in (PATIENCE_S + 1, PATIENCE_S + 2):
        it.look(now_s)
    [one] = loop.told()
    assert "the database is away" in one.text and one.resolved_at_s is None
    loop.status = Status()
    another = loop.watched()  # another control leads
    another.look(0.0)
    [one] = loop.told()
    assert one.resolved_at_s is None, "its loop has not ticked yet"
    loop.tick()
    another.look(0.0)
    [one] = loop.told()
    assert one.resolved_at_s is not None


def test_a_tick_that_failed_is_nothing_to_tell(engine: Engine) -> None:
    loop = Loop(engine)
    it = loop.watched()
    for now_s in range(0, 1000, 10):
        loop.tick(None if now_s % 50 else "away")
        it.look(float(now_s))
    assert loop.told() == []


def test_who_does_not_lead_tells_nothing(engine: Engine) -> None:
    loop = Loop(engine)
    loop.leads = False
    it = loop.watched()
    loop.tick("fenced")
    it.look(0.0)
    it.look(1000.0)
    loop.leads = True
    it.look(1010.0)
    it.look(2000.0)
    assert loop.told() == [], "that was another leadership's"
    loop.tick("away")
    it.look(2010.0)
    assert loop.told() == [], "only now it begins to wait"


def test_nothing_ends_the_watch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_notices, "LOOK_S", 0.0)
    looks: list[float] = []

    def fail(now_s: float) -> None:
        looks.append(now_s)
        raise ZeroDivisionError

    async def watch() -> None:
        it = Loop(engine).watched()
        monkeypatch.setattr(it, "look", fail)
        task = asyncio.create_task(it.watch())
        for _ in range(2000):
            await asyncio.sleep(0.001)
            if len(looks) > 1:
                break
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(watch())
    assert len(looks) > 1
