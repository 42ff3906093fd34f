"""Machines with different peppers are told apart, and no pepper is stored."""

from sqlalchemy import Engine, select

from tidegate.stores import database
from tidegate.stores.fingerprints import differing
from tidegate.stores.schema import meta

FIRST, SECOND = b"\x01" * 32, b"\x02" * 32


def test_the_first_machine_says_what_they_are_and_others_agree_or_not(engine: Engine) -> None:
    assert differing(engine, {1: FIRST}) == []
    assert differing(engine, {1: FIRST}) == []
    assert differing(engine, {1: SECOND}) == [1]
    assert differing(engine, {1: FIRST, 2: SECOND}) == []
    assert differing(engine, {1: SECOND, 2: SECOND, 3: FIRST}) == [1]


def test_no_pepper_lies_in_the_database(engine: Engine) -> None:
    differing(engine, {1: FIRST})
    with database.reading(engine) as connection:
        [kept] = connection.execute(select(meta.c.value)).scalars()
    assert FIRST.hex() not in kept
    assert len(kept) == 64
