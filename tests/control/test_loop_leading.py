"""One loop leads: what was overtaken, fails or waits does nothing twice and ends nothing."""

import asyncio
import logging
import os
import sys
from typing import Any

import pytest
from sqlalchemy import Connection, Engine
from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.control import loop, looping
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.stores import database, decisions, leadership
from tidegate.stores.errors import StoreError
from tidegate.stores.leadership import Fenced


def successor(room: Room) -> None:
    """The loop of a process that starts anew on the same store."""
    room.loop = looping.build(
        room.desk.engine, room.plans, room.compiling, room.feed, ("", lambda: True)
    )
    room.desk.loop = room.loop


def test_leases_do_not_wait_for_every_plan_that_is_compiled(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms.furnish(room, plan=rooms.PLAN + "  mail: old\n")
    rooms.write(room, "next", route="mail")
    for name in (rooms.NAME, "mail/next"):
        rooms.create(room, name)
        rooms.ask(room, "start", name)
    rooms.tick(room)
    monkeypatch.setattr(loop, "_COMPILING", 0.0)
    for started in (1, 2):
        rooms.tick(room)
        assert rooms.revised(room) == started * ["start"]


def test_a_loop_that_starts_anew_goes_on_where_the_last_one_was(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "analysing")
    before = rooms.kept(room)
    successor(room)
    rooms.tick(room)
    assert rooms.kept(room).since_s >= before.since_s
    rooms.lead_to(room, "done")
    assert rooms.revised(room) == ["start", "promote", "retire"]


def test_one_that_was_overtaken_writes_nothing_more(room: Room, engine: Engine) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    late = room.loop
    successor(room)
    rooms.tick(room)
    rooms.bad(room)
    with pytest.raises(Fenced):
        asyncio.run(late.tick(DeclaredLoop()))
    assert rooms.kept(room).state == "step"
    rooms.tick(room)
    assert rooms.kept(room).state == "rolled_back"
    assert rooms.revised(room).count("withdraw") == 1


def test_an_overtaken_loop_begins_a_new_leadership_when_it_leads_again(
    room: Room, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    rooms.begun(room)
    late = room.loop
    successor(room)
    rooms.tick(room)

    async def twice() -> None:
        with caplog.at_level(logging.WARNING):
            await late._try(DeclaredLoop())
            await late._try(DeclaredLoop())

    asyncio.run(twice())
    assert "is over" in caplog.text
    with database.reading(engine) as connection:
        assert late.status.epoch == leadership.present(connection).epoch


def test_what_was_written_without_an_answer_is_not_done_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms.furnish(room)
    rooms.create(room)
    rooms.ask(room, "start")
    rooms.tick(room)
    assert rooms.kept(room).state == "gated"
    amend = room.plans.amend

    async def amended_and_lost(make: Any) -> None:
        await amend(make)
        raise StoreError("the connection was lost at the commit")

    with monkeypatch.context() as lost:
        lost.setattr(room.plans, "amend", amended_and_lost)
        asyncio.run(room.loop._try(DeclaredLoop()))
    assert "lost" in str(room.loop.status.problem)
    rooms.tick(room)
    assert rooms.revised(room) == ["start"]
    assert rooms.held(room) == {"release_weight": 0.1}


def test_what_is_asked_during_a_tick_does_not_wait_for_the_next_but_one(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = 0

    async def run() -> None:
        again = asyncio.Event()

        async def ticked(_declared: DeclaredLoop) -> None:
            nonlocal ticks
            ticks += 1
            if ticks == 1:
                room.loop.wake()
            else:
                again.set()

        monkeypatch.setattr(room.loop, "_try", ticked)
        running = asyncio.create_task(room.loop.run())
        await asyncio.wait_for(again.wait(), 5.0)
        running.cancel()

    asyncio.run(run())
    assert ticks == 2


def test_time_counts_only_while_the_loop_works(room: Room, engine: Engine) -> None:
    rooms.begun(room)
    rooms.tick(room)
    with database.reading(engine) as connection:
        first_s = decisions.active_s(connection)
    successor(room)
    rooms.tick(room)
    with database.reading(engine) as connection:
        assert decisions.active_s(connection) == first_s


def test_a_tick_that_fails_does_not_end_the_loop(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rooms.begun(room)
    calls = 0

    def look(_declared: object) -> object:
        nonlocal calls
        calls += 1
        raise ValueError("a mistake")

    monkeypatch.setattr(room.loop, "_look", look)

    async def run() -> None:
        task = asyncio.get_running_loop().create_task(room.loop.run())
        while calls < 2:
            room.loop.wake()
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with caplog.at_level(logging.CRITICAL):
        asyncio.run(run())
    assert room.loop.status.problem == "ValueError('a mistake')"


def test_a_tick_gives_way_to_gateways_and_nothing_else_of_control_does(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def leads(connection: Connection, node: str, now_s: float) -> int:
        looked.append(os.nice(0))
        return leadership.take(connection, node, now_s)

    monkeypatch.setattr(loop.acting, "lead", leads)
    rooms.tick(room)
    gives_way = 5 if sys.platform == "linux" else 0  # elsewhere threads have no own priority
    assert looked == [min(os.nice(0) + gives_way, 19)]
