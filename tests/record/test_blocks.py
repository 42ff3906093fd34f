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
from tidegate.stores import blocks, database, release_weights, unfolded
from tidegate.stores.ledger import Ledger

NOON_S = stores.NOON_S


def of(rollout: str, unit: int = 1, arm: str = "stable") -> Receipt:
    return stores.receipt(rollout=rollout, arm=arm, unit=unit, unit_kind="user")


def made(engine: Engine) -> Blocks:
    return Blocks(engine, "", CountingFold)


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


def test_the_weight_is_that_at_which_all_of_a_block_were_assigned(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights: dict[str, float] = {}
    monkeypatch.setattr(release_weights, "by_scope", lambda *_: weights)
    some, at_s = made(engine), NOON_S
    found = []
    # Each look is 10 s after the last; the request of the fourth began before the weight moved.
    for weight, began_s in ((0.05, 1), (0.05, 14), (0.2, 24), (0.2, 25), (0.2, 44), (0.2, 55)):
        one = of("one")
        one.started_at_s, at_s = NOON_S + began_s, at_s + 10
        some.add(one, 0, at_s)
        weights["chat-fast"] = weight
        found += some.close(at_s)
    assert [block.weight for block in found] == [None, 0.05, None, None, 0.2, 0.2]


def test_releases_in_lanes_are_each_weighed_by_their_own_dial(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = {"chat-fast@one": 0.05, "chat-fast@two": 0.5}
    monkeypatch.setattr(release_weights, "by_scope", lambda *_: weights)
    some = made(engine)
    found = []
    for at_s in (NOON_S, NOON_S + 60):
        for name in ("chat-fast/one", "chat-fast/two"):
            one = of(name)
            one.started_at_s = at_s
            some.add(one, 0, at_s)
        found += some.close(at_s + 10)
    assert [(it.rollout, it.weight) for it in found[2:]] == [
        ("chat-fast/one", 0.05),
        ("chat-fast/two", 0.5),
    ]


def test_a_candidate_without_a_change_in_force_should_have_no_unit(engine: Engine) -> None:
    some = made(engine)
    found = []
    for at_s in (NOON_S, NOON_S + 60):
        one = of("one")
        one.started_at_s = at_s
        some.add(one, 0, at_s)
        found += some.close(at_s + 10)
    assert [block.weight for block in found] == [None, 0.0]


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
    some, closed = made(engine), []
    for look in range(40):
        names = random.Random(look).sample("abcdefgh", k=3)
        for name in (*names, *names):
            some.add(of(name), 0, NOON_S)
            assert len(some._open) <= 3
        blocks_now = some.close(NOON_S + look)
        assert {block.rollout for block in blocks_now} == set(names)
        closed += blocks_now
    assert all(block.stable.assigned == 2 for block in closed)


def test_a_block_that_has_begun_is_never_forgotten_for_another_release(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(record_blocks, "MAX_FOLDS", 3)
    some = made(engine)
    for name in "abcdeabcde":
        some.add(of(name), 0, NOON_S)
    assert [(one.rollout, one.stable.assigned) for one in some.close(NOON_S + 10)] == [
        ("a", 2),
        ("b", 2),
        ("c", 2),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "more than 3 releases at once: d is not judged"
    ]


def test_after_a_restart_only_receipts_of_its_own_route_are_read_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [of("one"), stores.receipt(route="search"), of("one", 2)]
    Ledger(engine).write(stores.entries(*stored), [])
    with database.writing(engine) as connection:
        fold = signal_rig.CountingFold("one")
        fold.add(stored[0])
        closed = fold.close(NOON_S, NOON_S + 10, None)
        assert closed is not None
        blocks.append(connection, "", closed, 0, 3)
    read: list[str | None] = []
    decoded = unfolded.decode_payload

    def reading(payload: bytes) -> Receipt:
        found = decoded(payload)
        read.append(found.route)
        return found

    monkeypatch.setattr(unfolded, "decode_payload", reading)
    made(engine).add(of("one"), 3, NOON_S + 12)
    assert read == ["chat-fast"] * 2


def test_a_release_s_own_fold_goes_on_after_a_restart_as_if_there_had_been_none(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The weight moves twice; both are told of it alike, so that nothing but the restart differs.
    moved = {0: None, 300: 0.05, 600: None, 800: 0.2}
    monkeypatch.setattr(
        record_blocks._Open,
        "weigh",
        lambda _, __, now_s: moved[max(it for it in moved if it <= (now_s - NOON_S - 10) * 10)],
    )
    draw = random.Random(4)
    made = [one for one in signal_rig.receipts(draw, 2400) if one.rollout]
    for one in made:
        one.started_at_s = NOON_S - 1  # at a weight that neither knows
    Ledger(engine).write(stores.entries(*made), [])
    steady, again = Blocks(engine, "", BlockFold), Blocks(engine, "", BlockFold)
    for place in range(0, len(made), 100):
        part = made[place : place + 100]
        last = [_fold(engine, some, part, place) for some in (steady, again)]
        assert last[0].stable == last[1].stable
        assert last[0].canary == last[1].canary
        with database.writing(engine) as connection:
            blocks.append(connection, "", last[0], place, place + len(part))
        again = Blocks(engine, "", BlockFold)


def _fold(engine: Engine, some: Blocks, part: list[Receipt], place: int) -> Block:
    at_s = NOON_S + place / 10
    for one in part:
        some.add(one, place, at_s)
    [block] = some.close(at_s + 10)
    return block


def test_units_that_came_to_another_recorder_first_are_counted_there_alone(engine: Engine) -> None:
    one, other = Blocks(engine, "a", BlockFold), Blocks(engine, "b", BlockFold)
    for unit in range(8):
        one.add(of("one", unit), 0, NOON_S)
    [of_one] = one.close(NOON_S + 10)
    stored = [of("one", unit) for unit in range(4, 12)]
    node = "b"
    Ledger(engine, node=node).write(stores.entries(*stored), [])
    for it in stored:
        other.add(it, 0, NOON_S)
    [of_other] = other.close(NOON_S + 10)
    assert (of_one.stable.units, of_other.stable.units) == (8, 4)
    assert (of_one.stable.assigned, of_other.stable.assigned) == (8, 8)
    with database.writing(engine) as connection:
        blocks.append(connection, node, of_other, 0, 8)
    again = Blocks(engine, node, BlockFold)  # after a restart it knows whose they are
    for some in (other, again):
        for unit in (4, 11):
            some.add(of("one", unit), 8, NOON_S + 20)
    [steady], [restarted] = other.close(NOON_S + 90), again.close(NOON_S + 90)
    assert restarted.stable == steady.stable and steady.stable.units == 0
