"""Assessments become blocks of their release: each once, with others of its weight."""

import random
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from tests.stores.rig import migrated

from tidegate.control import acting
from tidegate.control.assessing import Assessing
from tidegate.core.arm import Arm
from tidegate.core.assessment import Assessment
from tidegate.core.block import ArmBlock, Block, Moments
from tidegate.core.rollout import Rollout
from tidegate.stores import assessments, blocks, database, rollouts
from tidegate.stores.audit import Author
from tidegate.stores.leadership import Fenced
from tidegate.stores.rollouts import Moved
from tidegate.stores.schema_assessed import assessments as rows

NAME = "chat/v2"
ARMS: tuple[Arm, Arm] = ("stable", "canary")


@pytest.fixture
def sqlite_engine(tmp_path):
    engine = migrated(tmp_path / "state" / "ledger.db")
    yield engine
    engine.dispose()


@pytest.fixture(
    params=["sqlite_engine", pytest.param("shared_engine", marks=pytest.mark.postgres)],
    ids=["sqlite", "postgresql"],
)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    with database.writing(found) as connection:
        made = Rollout(NAME, "chat", "d", "ada", {})
        rollouts.create(connection, made, Author("ada", 0.0))
    return found


def lead(engine: Engine) -> int:
    with database.writing(engine) as connection:
        return acting.lead(connection, "here", 0.0)


def weighed(
    engine: Engine, upto_s: float, weight: float | None = 0.1, since_s: float = 0.0
) -> None:
    """A recorder's block of that time."""
    block = Block(NAME, 0, since_s, upto_s, weight, ArmBlock(9, 9, 9), ArmBlock(1, 1, 1))
    with database.writing(engine) as connection:
        blocks.append(connection, "", block, 0, 0)


def found(number: int, arm: Arm = "stable", at_s: float = 5.0, **given: Any) -> Assessment:
    plain: dict[str, Any] = {
        "assessed_as": "quality",
        "is_bad": False,
        "at_s": at_s + 60.0,
        "route": "chat",
        "rollout": NAME,
        "unit": number,
        "unit_kind": "user",
    }
    return Assessment(f"r{number}", started_at_s=at_s, arm=arm, **{**plain, **given})


def several(count: int, start: int = 0, **given: Any) -> list[Assessment]:
    """As many of each arm."""
    return [
        found(start + 2 * n + side, ARMS[side], **given) for n in range(count) for side in (0, 1)
    ]


def store(engine: Engine, *made: Assessment) -> None:
    with database.writing(engine) as connection:
        assessments.store(connection, made)


def late(engine: Engine) -> list[Block]:
    """The blocks that were made of them."""
    with database.reading(engine) as connection:
        return [block for _, block in blocks.after(connection, NAME, 0) if block.late]


def waiting(engine: Engine) -> int:
    with database.reading(engine) as connection:
        return sum(count for count, _ in assessments.waiting(connection).values())


def test_what_was_found_of_both_arms_is_one_block(engine: Engine) -> None:
    epoch = lead(engine)
    weighed(engine, 10.0)
    store(engine, *several(6), found(99, "canary", is_bad=True), found(98, is_bad=None))
    assessing = Assessing(engine)
    assessing.fold(epoch)
    assessing.fold(epoch)
    [block] = late(engine)
    assert (block.late, block.weight, block.began_s, block.ended_s) == ("quality", 0.1, 5.0, 5.0)
    assert (block.stable.tallies["quality"].judged, block.stable.assigned) == (6, 0)
    assert (block.canary.tallies["quality"].judged, block.canary.tallies["quality"].bad) == (7, 1)
    assert waiting(engine) == 0


def test_each_metric_has_blocks_of_its_own(engine: Engine) -> None:
    epoch = lead(engine)
    weighed(engine, 10.0)
    store(
        engine,
        *several(5),
        *several(5, assessed_as="follow_up"),
        found(99, assessed_as="thumbs_down"),
    )
    Assessing(engine).fold(epoch)
    assert sorted(block.late for block in late(engine)) == ["follow_up", "quality"]
    assert waiting(engine) == 1


def test_few_wait_until_both_arms_have_enough(engine: Engine) -> None:
    epoch, assessing = lead(engine), Assessing(engine)
    weighed(engine, 10.0)
    store(engine, *(found(n) for n in range(40)), *(found(n, "canary") for n in range(50, 54)))
    for _ in range(3):
        assessing.fold(epoch)
    assert (late(engine), waiting(engine)) == ([], 44)
    store(engine, found(60, "canary"))
    assessing.fold(epoch)
    assert (len(late(engine)), waiting(engine)) == (1, 0)


def test_requests_of_different_weights_are_never_compared(engine: Engine) -> None:
    """Each is of the weight at which it was made, however late it is found good or bad."""
    epoch = lead(engine)
    weighed(engine, 10.0)
    weighed(engine, 20.0, None, 10.0)
    weighed(engine, 30.0, 0.5, 20.0)
    store(engine, *several(5, at_s=25.0), *(found(n, at_s=3.0) for n in range(50, 60)))
    store(engine, *(found(n, "canary", 4.0) for n in range(60, 64)), *several(9, 70, at_s=15.0))
    Assessing(engine).fold(epoch)
    assert [(block.weight, block.began_s) for block in late(engine)] == [(0.5, 25.0)]
    assert waiting(engine) == 14  # and what was made while the weight moved waits for nothing
    store(engine, found(65, "canary", 4.0))
    Assessing(engine).fold(epoch)
    assert [block.weight for block in late(engine)] == [0.5, 0.1]


def test_it_waits_until_its_weight_is_known(engine: Engine) -> None:
    epoch, assessing = lead(engine), Assessing(engine)
    weighed(engine, 10.0)
    store(engine, *several(5, at_s=15.0))
    assessing.fold(epoch)
    assert (late(engine), waiting(engine)) == ([], 10)
    weighed(engine, 20.0, since_s=10.0)
    assessing.fold(epoch)
    assert len(late(engine)) == 1


def test_after_the_end_it_counts_nothing(engine: Engine) -> None:
    epoch, assessing = lead(engine), Assessing(engine)
    weighed(engine, 10.0)
    store(engine, *several(3))
    assessing.fold(epoch)
    with database.writing(engine) as connection:
        rollouts.move(connection, NAME, Moved(20.0, "done", 0, "", 1), ended=True)
    store(engine, *several(9, 50))
    assessing.fold(epoch)
    assert (late(engine), waiting(engine)) == ([], 0)


def test_one_who_leads_no_more_counts_nothing(engine: Engine) -> None:
    before, after = lead(engine), lead(engine)
    weighed(engine, 10.0)
    store(engine, *several(5))
    with pytest.raises(Fenced):
        Assessing(engine).fold(before)
    assert (late(engine), waiting(engine)) == ([], 10)
    Assessing(engine).fold(after)
    assert len(late(engine)) == 1


def test_what_another_has_counted_meanwhile_is_not_counted_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both believe that they lead; one stands still between its look and its act."""
    epoch, one, other = lead(engine), Assessing(engine), Assessing(engine)
    weighed(engine, 10.0)
    store(engine, *several(5))
    act = one._store

    def late_act(*given: Any) -> None:
        other.fold(epoch)
        act(*given)

    monkeypatch.setattr(one, "_store", late_act)
    one.fold(epoch)
    assert len(late(engine)) == 1


def test_nothing_is_marked_of_a_block_that_could_not_be_stored(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = lead(engine)
    weighed(engine, 10.0)
    store(engine, *several(5))
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "append", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Assessing(engine).fold(epoch)
    assert waiting(engine) == 10
    Assessing(engine).fold(epoch)
    assert len(late(engine)) == 1


def test_a_units_pairs_are_counted_over_looks_and_it_speaks_once_at_each_weight(
    engine: Engine,
) -> None:
    epoch = lead(engine)
    weighed(engine, 10.0)
    weighed(engine, 20.0, 0.5, 10.0)
    for start, at_s in ((0, 1.0), (100, 2.0), (200, 15.0)):
        bad = [found(start + n, "canary", at_s, unit=7, is_bad=True) for n in range(3)]
        store(engine, *bad, *several(5, start + 10, at_s=at_s))
        Assessing(engine).fold(epoch)
    first, second, third = (block.canary for block in late(engine))
    assert (first.pairs, first.bad_pairs) == (3, {"quality": 3})
    assert (second.pairs, second.early_pairs, second.bad_pairs) == (12, 12, {"quality": 12})
    assert (third.pairs, third.bad_pairs) == (21, {"quality": 21})
    assert first.by_unit["quality"] == Moments(6, 1.0, 1.0)
    assert second.by_unit["quality"].count == 5
    assert third.by_unit["quality"] == Moments(6, 1.0, 1.0)


def test_a_units_pairs_go_on_from_group_to_group_of_one_look(engine: Engine) -> None:
    epoch = lead(engine)
    weighed(engine, 300.0)
    for start, at_s in ((0, 1.0), (100, 200.0)):
        twice = [found(start + n, "canary", at_s, unit=7, is_bad=True) for n in range(2)]
        store(engine, *twice, *several(5, start + 10, at_s=at_s))
    Assessing(engine).fold(epoch)
    first, second = (block.canary for block in late(engine))
    assert (first.pairs, second.pairs) == (1, 2 + 3)
    assert (first.by_unit["quality"].count, second.by_unit["quality"].count) == (6, 5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_is_counted_once_in_whatever_order_it_comes(engine: Engine, seed: int) -> None:
    """Found twice, late, by a control that is started anew or that others overtake."""
    draw, epoch, assessing = random.Random(seed), lead(engine), Assessing(engine)
    made = [
        found(n, ARMS[draw.random() < 0.3], draw.uniform(0, 40), is_bad=draw.random() < 0.2)
        for n in range(120)
    ]
    for at in range(4):
        weighed(engine, 10.0 * at + 10.0, (0.1, 0.1, None, 0.5)[at], 10.0 * at)
    coming = [*made, *draw.sample(made, 40)]
    draw.shuffle(coming)
    while coming:
        some, coming = coming[:7], coming[7:]
        store(engine, *some)
        chance = draw.random()
        if chance < 0.2:
            assessing = Assessing(engine)
        elif chance < 0.3:
            epoch = lead(engine)
        assessing.fold(epoch)
    counted = sum(it.tallies["quality"].judged for b in late(engine) for it in (b.stable, b.canary))
    bad = sum(it.tallies["quality"].bad for b in late(engine) for it in (b.stable, b.canary))
    moved = sum(20.0 <= one.started_at_s < 30.0 for one in made)
    assert counted + moved + waiting(engine) == len(made)
    with database.reading(engine) as connection:
        left = connection.execute(select(func.count()).where(~rows.c.folded, rows.c.is_bad))
        assert bad + (left.scalar() or 0) == sum(
            one.is_bad is True for one in made if not 20.0 <= one.started_at_s < 30.0
        )
