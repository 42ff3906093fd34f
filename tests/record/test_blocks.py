"""Releases' blocks: whose weight, and what is remembered across them."""

import random

import pytest
from sqlalchemy import Engine
from tests.record import signal_rig
from tests.record.signal_rig import CountingFold
from tests.stores import rig as stores

from tidegate.core.receipt import Receipt
from tidegate.record import blocks as record_blocks
from tidegate.record.blocks import IDLE_LOOKS, Blocks
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


def test_the_weight_is_that_which_the_block_had_all_along(engine: Engine) -> None:
    weights = {"one": 0.05}
    some = made(engine, weights)
    found = []
    for weight in (0.05, 0.2, 0.2):
        some.add(of("one"), 0, NOON_S)
        weights["one"] = weight
        found += some.close(NOON_S + 10)
    assert [block.weight for block in found] == [0.05, None, 0.2]


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
