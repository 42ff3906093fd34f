"""Releases' blocks: in order, each told once to whoever asks on from the last."""

import pytest
from sqlalchemy import Engine

from tidegate.core.block import ArmBlock, Block
from tidegate.stores import blocks, database
from tidegate.stores.blocks import KEPT_S, Look
from tidegate.stores.schema_signals import release_blocks

NOON_S = 1_790_000_000.0


def append(
    engine: Engine, rollout: str, ended_s: float, node: str = "", after_seq: int = 0
) -> None:
    arm = ArmBlock(assigned=int(ended_s - NOON_S))
    block = Block(rollout, 99, ended_s - 10, ended_s, 0.05, arm, ArmBlock())
    with database.writing(engine) as connection:
        blocks.append(connection, node, block, after_seq, after_seq + 5)


def after(engine: Engine, rollout: str, seq: int) -> list[tuple[int, Block]]:
    with database.reading(engine) as connection:
        return blocks.after(connection, rollout, seq)


def test_blocks_of_a_rollout_are_told_in_order_and_once(engine: Engine) -> None:
    append(engine, "one", NOON_S + 10, "a")
    append(engine, "two", NOON_S + 11)
    append(engine, "one", NOON_S + 12, "b")
    first, second = after(engine, "one", 0)
    assert [block.stable.assigned for _, block in (first, second)] == [10, 12]
    assert [block.number for _, block in (first, second)] == [1, 2]
    assert after(engine, "one", first[0]) == [second]
    assert after(engine, "one", second[0]) == []


def test_a_recorder_finds_how_it_cut_them(engine: Engine) -> None:
    append(engine, "one", NOON_S + 10, "a", 3)
    append(engine, "one", NOON_S + 20, "b", 3)
    append(engine, "one", NOON_S + 30, "a", 8)
    with database.reading(engine) as connection:
        found = blocks.looks(connection, "one", "a")
    first = Look(NOON_S, NOON_S + 10, 3, 8, 0.05)
    assert found == [first, Look(NOON_S + 20, NOON_S + 30, 8, 13, 0.05)]


def test_a_block_that_cannot_be_read_is_said_and_left_out(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    append(engine, "one", NOON_S)
    with database.writing(engine) as connection:
        connection.execute(release_blocks.update().values(payload=b"\xc1"))
    append(engine, "one", NOON_S + 10)
    [(number, _)] = after(engine, "one", 0)
    with database.reading(engine) as connection:
        assert [seq for seq, _ in blocks.news(connection, 0)["one"]] == [number]
    assert "roll it back" in caplog.text


def test_old_blocks_go(engine: Engine) -> None:
    append(engine, "one", NOON_S)
    append(engine, "one", NOON_S + 20)
    assert blocks.drop_old(engine, NOON_S + KEPT_S + 10) == 1
    assert [block.ended_s for _, block in after(engine, "one", 0)] == [NOON_S + 20]


def test_how_recorders_weighed_it_is_told_without_what_was_assessed(engine: Engine) -> None:
    for at, node in enumerate(("a", blocks.ASSESSED, "b")):
        append(engine, "one", NOON_S + 10 * at, node)
    with database.reading(engine) as connection:
        found = blocks.weighed(connection, "one", 0)
        assert [one.node for one in found] == ["a", "b"]
        assert blocks.weighed(connection, "one", found[0].seq) == found[1:]
