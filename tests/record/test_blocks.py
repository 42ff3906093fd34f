"""Releases' blocks: whose weight, and what is remembered across them."""

import random

import pytest
from sqlalchemy import Engine
from tests.record import signal_rig
from tests.record.signal_rig import CountingFold
from tests.stores import rig as stores

from tidegate.core.block import Block
from tidegate.core.receipt import Receipt
from tidegate.record import blocks as record_blocks
from tidegate.record.blocks import IDLE_LOOKS, Blocks
from tidegate.stats.block_fold import BlockFold
from tidegate.stores import blocks, database
from tidegate.stores.ledger import Ledger

NOON_S = stores.NOON_S


def of(rollout: str, unit: int = 1, arm: str = "stable") -> Receipt:
    return stores.receipt(rollout=rollout, arm=arm, unit=unit, unit_kind="user")


def made(engine: Engine, weights: dict[str, float] | None = None) -> Blocks:
    known = {} if weights is None else weights
    return Blocks(engine, "", CountingFold, known.get)


def test_each_release_has_its_own_blocks_and_others_none(engine: Engine) -> None:
    some = made(engine)
    some.add(of("one"), 0, NOON_S)
    some.add(of("two"), 0, NOON_S + 1)
    some.add(of("two", arm="canary"), 0, NOON_S + 2)
    some.add(stores.receipt(), 0, NOON_S + 3)
    first, second = some.close(NOON_S + 10)
    assert (first.rollout, first.stable.assigned, first.canary.assigned) == ("one", 1, 0)
    assert (second.rollout, second.stable.assigned, second.canary.assigned) == ("two", 1, 1)
    assert (first.began_s, second.began_s, first.ended_s) == (NOON_S, NOON_S + 1, NOON_S + 10)
    assert some.close(NOON_S + 20) == []


def weights_of(engine: Engine, weights: list[float], late_s: float) -> list[float | None]:
    """Those of blocks at whose ends the plan has these; each has one request, which started
    `late_s` after its block."""
    plan = {"one": weights[0]}
    some = made(engine, plan)
    found = []
    for number, weight in enumerate(weights):
        now_s = NOON_S + 10 * number
        started = stores.receipt(now_s + late_s, rollout="one", arm="stable", unit=1)
        some.add(started, 0, now_s + late_s)
        plan["one"] = weight
        found += some.close(now_s + 10)
    return [block.weight for block in found]


def test_the_weight_is_that_which_the_block_had_all_along(engine: Engine) -> None:
    found = weights_of(engine, [0.05, 0.05, 0.2, 0.2, 0.2], late_s=5.0)
    assert found == [None, 0.05, None, 0.2, 0.2]


def test_it_is_unknown_while_gateways_may_not_obey_it_yet(engine: Engine) -> None:
    found = weights_of(engine, [0.05, 0.05, 0.2, 0.2, 0.2], late_s=2.0)
    assert found == [None, 0.05, None, None, 0.2]


def test_it_is_unknown_of_what_was_served_while_the_recorder_was_away(engine: Engine) -> None:
    some = made(engine, {"one": 0.05})
    some.add(of("one"), 0, NOON_S + 600)
    [block] = some.close(NOON_S + 610)
    assert block.weight is None


def test_a_clock_that_is_set_back_makes_no_block_end_before_it_began(engine: Engine) -> None:
    some = made(engine)
    some.add(of("one"), 0, NOON_S)
    some.close(NOON_S + 10)
    some.add(of("one"), 0, NOON_S - 500)
    [block] = some.close(NOON_S - 500)
    assert block.began_s == block.ended_s == NOON_S + 10


@pytest.mark.parametrize("forgotten", ["a restart", "a doubt", "a pause"])
def test_units_are_known_again_after(engine: Engine, forgotten: str) -> None:
    some = made(engine)
    stored = [of("one", unit) for unit in (1, 2, 1)]
    Ledger(engine).write(stores.entries(*stored, of("two", 3), stores.receipt()), [])
    for one in stored:
        some.add(one, 0, NOON_S)
    with database.writing(engine) as connection:
        [block] = some.close(NOON_S + 10)
        blocks.append(connection, "", block, 0, 5)
    if forgotten == "a restart":
        some = made(engine)
    elif forgotten == "a doubt":
        some.forget()
    else:
        for _ in range(IDLE_LOOKS + 1):
            some.close(NOON_S + 10)
    for unit in (1, 2, 3):
        some.add(of("one", unit), 5, NOON_S + 12)
    [second] = some.close(NOON_S + 20)
    assert (second.stable.assigned, second.stable.units) == (3, 1)
    assert second.began_s == NOON_S + 10


def test_only_so_many_receipts_of_before_are_shown(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_blocks, "MAX_SHOWN", 4)
    monkeypatch.setattr(record_blocks, "_A_READ", 3)
    stored = [of("one", unit) for unit in range(10)]
    Ledger(engine).write(stores.entries(*stored), [])
    with database.writing(engine) as connection:
        block = signal_rig.CountingFold("one")
        block.add(stored[0])
        closed = block.close(NOON_S, NOON_S + 10, None)
        assert closed is not None
        blocks.append(connection, "", closed, 0, 10)
    some = made(engine)
    for unit in (0, 5, 6, 9):
        some.add(of("one", unit), 10, NOON_S + 12)
    [found] = some.close(NOON_S + 20)
    assert found.stable.units == 2


def test_folds_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_blocks, "MAX_FOLDS", 3)
    some = made(engine)
    for name in random.Random(2).choices("abcdefgh", k=40):
        some.add(of(name), 0, NOON_S)
        assert len(some._open) <= 3


def test_a_release_s_own_fold_goes_on_after_a_restart_as_if_there_had_been_none(
    engine: Engine,
) -> None:
    draw = random.Random(4)
    of_release = [one for one in signal_rig.receipts(draw, 2400) if one.rollout]
    Ledger(engine).write(stores.entries(*of_release), [])

    def begun() -> Blocks:
        return Blocks(engine, "", BlockFold, lambda _: 0.05)

    steady, again = begun(), begun()
    for place in range(0, len(of_release), 100):
        part = of_release[place : place + 100]
        some, others = (_fold(one, part, place) for one in (steady, again))
        assert some.stable == others.stable
        assert some.canary == others.canary
        with database.writing(engine) as connection:
            blocks.append(connection, "", some, place, place + len(part))
        again = begun()


def _fold(some: Blocks, part: list[Receipt], place: int) -> Block:
    at_s = NOON_S + place / 10
    for one in part:
        some.add(one, place, at_s)
    [block] = some.close(at_s + 10)
    return block
