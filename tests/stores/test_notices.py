"""A thing is noted once until it is resolved, whoever notes it and however often."""

from typing import Any

import pytest
from sqlalchemy import Engine, select

from tidegate.core.controller import Tell
from tidegate.core.notice import Notice
from tidegate.stores import database, notices
from tidegate.stores.notices import MAX_KEY_LETTERS
from tidegate.stores.schema_notices import notices as table

NOON_S = 1_790_000_000.0


def tell(key: str = "burn/chat", **fields: Any) -> Tell:
    plain: dict[str, Any] = {"topic": "burn", "severity": "ticket", "title": "It burns", "text": ""}
    return Tell(key=key, **{**plain, **fields})


def note(engine: Engine, one: Tell, at_s: float = NOON_S) -> bool:
    with database.writing(engine) as connection:
        return notices.note(connection, one, at_s)


def found(engine: Engine, **wanted: Any) -> list[Notice]:
    with database.reading(engine) as connection:
        return notices.recent(connection, **wanted)


def test_what_is_open_is_not_noted_again_and_anew_once_it_was_resolved(engine: Engine) -> None:
    assert note(engine, tell(route="chat", text="2 % an hour"))
    assert not note(engine, tell(title="It still burns"), NOON_S + 60)
    assert note(engine, tell("burn/other"), NOON_S + 61)
    assert note(engine, tell(resolved=True, text="It is out."), NOON_S + 90)
    assert note(engine, tell(), NOON_S + 120)
    first, other, newest = sorted(found(engine), key=lambda one: one.at_s)
    assert (newest.resolved_at_s, newest.at_s, other.key) == (None, NOON_S + 120, "burn/other")
    assert (first.title, first.text, first.route) == ("It burns", "2 % an hour", "chat")
    assert (first.resolved_at_s, first.resolution) == (NOON_S + 90, "It is out.")
    assert {one.id for one in found(engine, only_open=True)} == {newest.id, other.id}


def test_they_are_shown_by_the_page_newest_first(engine: Engine) -> None:
    for number in range(5):
        note(engine, tell(str(number)))
    whole = found(engine)
    assert [one.id for one in whole] == sorted((one.id for one in whole), reverse=True)
    assert found(engine, limit=2) == whole[:2]
    assert found(engine, before=whole[1].id, limit=2) == whole[2:4]


def test_an_end_of_what_nobody_noted_is_nothing_new(engine: Engine) -> None:
    assert not note(engine, tell(resolved=True))
    assert note(engine, tell())
    assert note(engine, tell(resolved=True))
    assert not note(engine, tell(resolved=True))
    assert len(found(engine)) == 1


def test_what_became_graver_takes_the_place_of_what_was_noted(engine: Engine) -> None:
    assert note(engine, tell())
    assert note(engine, tell(severity="page"), NOON_S + 60)
    assert not note(engine, tell(severity="ticket"), NOON_S + 120)
    (open_now,) = found(engine, only_open=True)
    assert (open_now.severity, open_now.at_s) == ("page", NOON_S + 60)
    assert len(found(engine)) == 2


def test_it_is_noted_with_what_it_tells_of_or_not_at_all(engine: Engine) -> None:
    def fail_after_noting() -> None:
        with database.writing(engine) as connection:
            notices.note(connection, tell(), NOON_S)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_noting()
    assert found(engine) == []


def test_whatever_a_caller_put_into_its_names_it_can_be_stored_and_shown(engine: Engine) -> None:
    steering = "a\x00b\x1b[2J\ud800\u202e"
    assert note(engine, tell(steering, title=f"x\n\r {steering}", text=f"one\ntwo{steering}"))
    assert not note(engine, tell(steering))
    (one,) = found(engine)
    assert (one.key, one.title) == ("a?b?[2J??", "x a?b?[2J??")
    assert one.text == "one\ntwoa?b?[2J??"


def test_long_texts_are_cut_and_long_keys_stay_apart(engine: Engine) -> None:
    for end in ("a", "b"):
        assert note(engine, tell("k" * 2000 + end, title="t" * 10_000, text="x" * 100_000))
    first, second = found(engine)
    assert len(first.key) == len(second.key) == MAX_KEY_LETTERS
    assert (len(first.title), len(first.text)) == (300, 8000)
    assert not note(engine, tell("k" * 2000 + "a"))


def test_what_was_noted_for_a_time_ends_with_it(engine: Engine) -> None:
    note(engine, tell("today", until_s=NOON_S + 60))
    note(engine, tell("for ever"))
    for at_s, ended in ((NOON_S + 59, 0), (NOON_S + 60, 1), (NOON_S + 61, 0)):
        with database.writing(engine) as connection:
            assert notices.lapse(connection, at_s) == ended
    assert [one.key for one in found(engine, only_open=True)] == ["for ever"]


def test_what_is_old_is_dropped(engine: Engine) -> None:
    note(engine, tell("old"), NOON_S - 100)
    note(engine, tell("new"), NOON_S)
    with database.writing(engine) as connection:
        assert notices.trim(connection, NOON_S) == 1
    assert [one.key for one in found(engine)] == ["new"]


def test_a_severity_that_is_none_of_ours_is_kept_as_a_page(engine: Engine) -> None:
    note(engine, tell(severity="critical"))
    with database.reading(engine) as connection:
        assert connection.execute(select(table.c.severity)).scalars().all() == ["page"]
