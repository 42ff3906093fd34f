"""Judges are asked by and by: what goes wrong on the way costs no money twice and is never
disagreement."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.evals.judge_room import CALIBRATION, KIND, JudgeRoom, lines, opened
from tests.evals.online_room import declared
from tests.evals.test_own_gateway import house
from tests.gateway.rig import run
from tests.stores.rig import entries, key, receipt

from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.purpose import EVAL
from tidegate.evals import judge_drift
from tidegate.evals.judge_drift import JudgeDrift
from tidegate.evals.judge_looks import LOOK, WEEK_S
from tidegate.evals.own_gateway import NAME, OwnGateway
from tidegate.stores import database, judges, keys
from tidegate.stores.audit import Author
from tidegate.stores.ledger import Ledger


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeRoom]:
    yield from opened(tmp_path, monkeypatch)


def test_a_restart_in_the_middle_asks_nothing_again(
    room: JudgeRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge_drift, "AT_ONCE", 30)
    for _ in range(30):
        room.job = room.begun()
        room.work(until=lambda _: True)
    assert room.may_decide
    assert len(room.sitting.asked) == CALIBRATION


def test_a_judge_that_is_away_is_tried_again_and_disagrees_with_nobody(room: JudgeRoom) -> None:
    room.work()
    room.sitting.away = "no_target: everything is down"
    room.now_s += WEEK_S
    for _ in range(3):
        room.work()
        assert room.seat().problem == "it is away: no_target"
        room.job = room.begun()
    assert room.looks() == []
    assert room.may_decide
    room.sitting.away = None
    room.work()
    assert [it.known for it in room.looks()] == [LOOK]
    assert room.seat().problem == ""
    room.sitting.away = "no_target: everything is down"
    room.weeks(3)
    assert room.may_decide
    room.weeks(1)  # nobody knows any more what it is like
    assert not room.may_decide
    assert room.told() == ["The judge kindness at referee was not looked at for long"]
    room.sitting.away = None
    room.work()
    assert room.may_decide and room.told() == []


def test_one_anchor_that_never_gets_an_answer_does_not_hold_up_the_rest(room: JudgeRoom) -> None:
    usual = room.sitting.judge

    def judge(route: str, parameters: object = ()) -> object:
        room.sitting.away = "larger_than_context: it is" if is_left() else None
        return usual(route, parameters)

    def is_left() -> bool:
        return len(room.sitting.asked) >= CALIBRATION - 3

    room.sitting.judge = judge  # type: ignore[method-assign,assignment]
    for _ in range(judge_drift.TRIES):
        room.work()
        assert not room.may_decide
    room.work()
    assert room.row().known == CALIBRATION - 3
    assert room.may_decide


def test_an_error_of_ours_is_told_and_asks_again(room: JudgeRoom) -> None:
    usual = room.sitting.judge

    def broken(route: str, parameters: object = ()) -> object:
        raise KeyError("what was said")

    room.sitting.judge = broken  # type: ignore[method-assign,assignment]
    room.work()
    assert room.seat().problem == "it is away: KeyError, of ours"
    room.sitting.judge = usual  # type: ignore[method-assign]
    room.work()
    assert room.may_decide


def test_anchors_that_cannot_be_read_are_told_and_what_was_found_stands(room: JudgeRoom) -> None:
    room.work()
    room.file.write_text(lines() + "\n{")
    room.weeks(1)
    assert room.seat().problem.partition(": ")[2].startswith("a.jsonl:201: ")
    assert room.told() == ["Anchors of the judge kindness cannot be read"]
    assert room.may_decide
    room.file.write_text(lines())
    room.work()
    assert room.told() == []
    assert len(room.looks()) == 1


def test_money_of_the_day_bounds_it_and_the_next_day_goes_on(room: JudgeRoom) -> None:
    keys.create(room.engine, key("k1", name=NAME, purpose=EVAL), Author("control", room.now_s))
    room.work(until=lambda _: True)
    asked = len(room.sitting.asked)
    spent = receipt(room.now_s, key_id="k1", route="referee", cost_nanousd=2_000_000_000)
    Ledger(room.engine).write(entries(spent), [])  # of two routes with a dollar each
    room.job = room.begun()
    room.work()
    assert len(room.sitting.asked) == asked
    assert "money of the day is spent" in room.seat().problem
    assert room.seat().to_ask == CALIBRATION - asked
    room.now_s += 86_400.0
    room.sitting.money = 300
    room.work()  # and the gateway itself may say so first
    assert "money of the day is spent" in room.seat().problem
    room.sitting.money = None
    room.work()
    assert room.may_decide
    assert len(room.sitting.asked) <= CALIBRATION + 100


@pytest.mark.parametrize("jump_s", [400 * 86_400.0, -10 * 86_400.0])
def test_a_clock_that_jumps_and_comes_back_costs_a_look_at_most(
    room: JudgeRoom, jump_s: float
) -> None:
    room.work()
    room.weeks(1)
    room.now_s += jump_s
    room.work()
    assert len(room.looks()) <= 2
    room.now_s -= jump_s
    room.work()
    assert room.may_decide
    before = len(room.looks())
    room.weeks(2)
    assert len(room.looks()) == before + 2
    assert room.may_decide and room.told() == []


def test_over_sockets_a_judge_is_asked_with_control_s_own_key(tmp_path: Path) -> None:
    def say(body: dict[str, Any]) -> str:
        number = int(body["messages"][-1]["content"].rpartition("answer ")[2].split()[0])
        return msgspec.json.encode({"reason": "", "score": float(number % 2 == 0)}).decode()

    async def main() -> None:
        with JudgeRoom(tmp_path) as room:
            room.file.write_text(lines(range(12)))
            plan = DeclaredQuality(KIND, "small", anchors="a.jsonl")
            room.declared = declared({"chat": plan})
            async with house(room, say) as up, OwnGateway(room.given) as own:
                job = JudgeDrift(room.given, own, lambda: room.now_s)
                while await job.step() < judge_drift.IDLE_S:
                    pass
                assert len(up.exchanges) == 24
            with database.reading(room.engine) as connection:
                [row] = judges.every(connection)
            assert (row.known, row.agreed, row.is_calibrated) == (24, 24, False)  # too few

    run(main())
