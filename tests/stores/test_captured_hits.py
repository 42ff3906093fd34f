"""Kept answers among what was captured are counted once, and what is kept beside another's question
goes with whoever asked it."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores.said import NOON_S, captured, recorded

from tidegate.core.capture import Captured, Kept
from tidegate.core.deletion import Deletion
from tidegate.stores import (
    captured_hits,
    captures,
    database,
    incident_captures,
    live_answers,
    questions,
)
from tidegate.stores.captured_hits import Stratum
from tidegate.stores.incident_captures import Window

NEAR = Kept("canary-question", "canary-answer")


def hit(number: int = 0, **fields: Any) -> Captured:
    return captured(NOON_S, number, **{"cache": "hit", "cache_tier": "exact", **fields})


def would_be(number: int = 0, **fields: Any) -> Captured:
    values = {"cache": "miss", "cache_tier": "semantic", "cache_score": 0.93, "kept": NEAR}
    return captured(NOON_S, number, **(values | fields))


def store(engine: Engine, *several: Captured) -> None:
    with database.writing(engine) as connection:
        captures.store(connection, several, NOON_S)


def kept(engine: Engine) -> list[Kept | None]:
    with database.reading(engine) as connection:
        return [it.kept for it in captures.newest(connection, captures.Which(), NOON_S)]


def test_each_is_counted_once_by_what_it_is(engine: Engine) -> None:
    vetoed = would_be(3, cache_veto="numbers")
    given = would_be(4, cache="hit", kept=Kept("q"))
    every = [hit(1), hit(2, cache="stale"), vetoed, given, captured(NOON_S, 5, cache="miss")]
    store(engine, *every)
    store(engine, *every)
    with database.reading(engine) as connection:
        counts = captured_hits.counted(connection, "chat", NOON_S)
    assert counts == {
        ("chat", Stratum("exact", None, given=True, vetoed=False)): 2,
        ("chat", Stratum("semantic", 92, given=False, vetoed=True)): 1,
        ("chat", Stratum("semantic", 92, given=True, vetoed=False)): 1,
    }


def test_it_comes_back_whole_and_a_list_has_nothing_that_was_kept(engine: Engine) -> None:
    made = would_be(cache_from="r", cache_veto="units")
    store(engine, made)
    with database.reading(engine) as connection:
        assert captures.by_id(connection, made.receipt_id, NOON_S) == made
        [row] = captures.listed(connection, captures.Which(), NOON_S)
    assert (row["cache"], row["cache_score"]) == ("miss", 0.93)
    assert "canary" not in repr(row)


def test_who_reads_live_answers_reads_no_kept_ones(engine: Engine) -> None:
    live, near = captured(NOON_S, 1), would_be(2)
    store(engine, live, near, hit(3), hit(4, cache="joined"), would_be(5, cache="hit"))
    wanted = [live.receipt_id, near.receipt_id]
    with database.reading(engine) as connection:
        found, _ = live_answers.kept_after(connection, "chat", "", 10)
        assert [it.receipt_id for it in found] == wanted
        asked = questions.newest_questions(connection, NOON_S, since_s=0.0, route=None, limit=9)
        assert [it.receipt_id for it in asked] == wanted[::-1]
        hurt = incident_captures.of_window(connection, Window("chat", 0.0, 2e9), NOON_S)
        assert [it.said.receipt_id for it in hurt] == wanted


@pytest.mark.parametrize("before", [True, False], ids=["then-deleted", "deleted-before"])
@pytest.mark.parametrize(
    ("what", "is_gone"),
    [
        (Deletion(NOON_S + 1, customer="acme"), True),
        (Deletion(NOON_S + 1, end_user="ana"), True),
        (Deletion(NOON_S + 1, customer="beta"), False),
        (Deletion(NOON_S - 1, customer="acme"), False),
    ],
    ids=["customer", "end-user", "another", "later"],
)
def test_a_kept_question_goes_with_whoever_asked_it(
    engine: Engine, what: Deletion, is_gone: bool, before: bool
) -> None:
    origin = recorded(engine, customer="acme", end_user="ana")
    beside = would_be(customer="gamma", end_user="cem", cache_from=origin.id)
    if before:
        store(engine, beside)
    with database.writing(engine) as connection:
        captures.remove(connection, what, NOON_S)
    store(engine, beside)
    assert kept(engine) == [None if is_gone else NEAR]


def test_a_question_of_nobody_knows_whom_goes_with_anybody_s(engine: Engine) -> None:
    store(engine, would_be(customer="gamma", cache_from=captured(NOON_S - 9).receipt_id))
    with database.writing(engine) as connection:
        captures.remove(connection, Deletion(NOON_S - 60, customer="acme"), NOON_S)
    assert kept(engine) == [NEAR]
    with database.writing(engine) as connection:
        captures.remove(connection, Deletion(NOON_S, customer="acme"), NOON_S)
    assert kept(engine) == [None]
    later = replace(would_be(7), cache_from=captured(NOON_S - 9).receipt_id)
    store(engine, later)
    assert kept(engine) == [None, None]
