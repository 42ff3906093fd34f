"""A burn from stored signals to what is held, told, shown, counted and made again."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine, select
from tests.control import release_room as rooms
from tests.control.conftest import Room
from tests.stores.signal_rig import add, key, one

from tidegate.control import looping
from tidegate.controllers import error_budget, release
from tidegate.core import clock
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.stores import database
from tidegate.stores.schema_notices import notices

PLAN = """\
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
targets:
  small: {provider: mine, model: small, price: free}
routes:
  chat: {target: small, slo: chat}
"""


def planned(room: Room, plan: str = PLAN) -> None:
    room.plan_file.write_text(plan)
    assert room.ask("POST", "/api/plan/reload").status_code == 200


def served(engine: Engine, good: int, bad: int, *, arm: str = "") -> None:
    minute_s = int(clock.wall_s() // 60 * 60)
    add(engine, {key(minute_s, arm=arm): one(availability_good=good, availability_bad=bad)})


def told(engine: Engine) -> dict[str, bool]:
    """Every notice's key, and whether it is over."""
    c = notices.c
    with database.reading(engine) as connection:
        found = connection.execute(select(c.key, c.resolved_at_s))
        return {name: resolved_at_s is not None for name, resolved_at_s in found}


def series(room: Room) -> dict[str, str]:
    lines = looping.render(room.loop).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_a_burn_holds_releases_and_is_told_once(room: Room, engine: Engine) -> None:
    planned(room)
    rooms.tick(room)
    assert (rooms.held(room), told(engine)) == ({}, {})
    of = '{route="chat",sli="availability"}'
    assert series(room)[f"tidegate_slo_requests_total{of}"] == "0"
    served(engine, 900, 100)
    for _ in range(3):
        rooms.tick(room)
    assert rooms.held(room) == {"release_policy": 2.0}
    assert told(engine) == {"burn/chat/availability/page": False, "slo/chat/restricted": False}
    assert series(room)[f"tidegate_slo_requests_total{of}"] == "1000"
    assert series(room)[f"tidegate_slo_bad_requests_total{of}"] == "100"


def test_a_decision_is_made_again_from_what_is_stored(room: Room, engine: Engine) -> None:
    planned(room)
    served(engine, 900, 100)
    rooms.tick(room)
    again: list[Any] = room.ask("GET", "/api/loop/replay").json()["decisions"]
    mine = [one for one in again if one["controller"] == "error_budget"]
    assert mine and all(one["same"] for one in mine)


def test_what_stays_as_it_is_writes_no_decision(room: Room, engine: Engine) -> None:
    planned(room)
    served(engine, 100_000, 1)
    for _ in range(4):
        rooms.tick(room)
    found = room.ask("GET", "/api/loop/replay").json()["decisions"]
    assert len([one for one in found if one["controller"] == "error_budget"]) <= 1


def test_an_objective_that_goes_lets_go_of_what_it_held(room: Room, engine: Engine) -> None:
    planned(room)
    served(engine, 900, 100)
    rooms.tick(room)
    planned(room, PLAN.replace(", slo: chat", ""))
    rooms.tick(room)
    rooms.tick(room)
    assert rooms.held(room) == {}
    assert set(told(engine).values()) == {True}
    assert series(room) == {}


def test_what_a_tick_finds_binds_the_releases_of_that_tick(room: Room, engine: Engine) -> None:
    planned = rooms.PLAN.replace("chat: old", "chat: {target: old, slo: chat}")
    rooms.furnish(room, plan=planned)
    rooms.create(room)
    rooms.ask(room, "start")
    rooms.tick(room)
    assert rooms.kept(room).state == "gated"
    served(engine, 900, 100)  # nobody holds the lever yet, as after a leader that was long gone
    rooms.tick(room)
    assert rooms.kept(room).state == "gated"
    assert rooms.held(room) == {"release_policy": 2.0}


def test_a_mistake_about_one_route_keeps_the_loop_from_no_other(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = rooms.PLAN.replace("chat: old", "chat: {target: old, slo: chat}")
    rooms.begun(room, plan=planned)
    rooms.lead_to(room, "step")
    served(engine, 900, 100)
    rooms.tick(room)
    assert rooms.held(room) == {"release_policy": 2.0, "release_weight": 0.05}

    def mistaken(*_: object) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as wrong:
        wrong.setattr(error_budget, "look", mistaken)
        asyncio.run(room.loop._try(DeclaredLoop()))
        assert "controller:error_budget of chat" in str(room.loop.status.problem)
        assert rooms.held(room) == {"release_policy": 2.0, "release_weight": 0.05}
        rooms.bad(room)
        rooms.tick(room)
    assert rooms.kept(room).state == "rolled_back"
    assert rooms.held(room) == {"release_policy": 2.0}


def test_what_nobody_can_decide_gets_no_traffic(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")

    def mistaken(*_: object) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as wrong:
        wrong.setattr(release, "moved", mistaken)
        rooms.tick(room)
    assert rooms.held(room) == {}
    rooms.tick(room)
    assert rooms.held(room) == {"release_weight": 0.1}
