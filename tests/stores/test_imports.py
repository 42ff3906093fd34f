"""Taking in: what is new, changed there, changed here, changed on both sides, and gone here."""

from collections.abc import Iterable

import pytest
from msgspec import Struct
from sqlalchemy import Engine

from tidegate.stores import database
from tidegate.stores.imports import Counts, Kind, Taking


class Theirs(Struct, frozen=True):
    id: str
    value: int


class Place:
    """What is here, by name."""

    def __init__(self) -> None:
        self.here: dict[str, int] = {}

    def kind(self) -> Kind[Theirs, tuple[str, int]]:
        def put(records: list[tuple[str, int]]) -> None:
            self.here.update(records)

        return Kind(
            "thing",
            lambda one: one.id,
            lambda one: (one.id, self.here[one.id]) if one.id in self.here else None,
            lambda one, here: (one.id, one.value),
            put,
            lambda record: record,
        )


def take(
    engine: Engine, place: Place, several: Iterable[tuple[str, int]], *, keep_ours: bool = False
) -> tuple[Counts, list[str]]:
    with database.writing(engine) as connection:
        taking = Taking(connection, "litellm", 1.0, keep_ours=keep_ours)
        taking.take(place.kind(), [Theirs(*it) for it in several])
        return taking.counts["thing"], taking.conflicts


def test_the_same_again_is_as_it_was_and_what_changed_there_changes_here(
    sqlite_engine: Engine,
) -> None:
    place = Place()
    assert take(sqlite_engine, place, [("a", 1), ("b", 1)]) == (Counts(new=2), [])
    assert take(sqlite_engine, place, [("a", 1), ("b", 2)]) == (Counts(changed=1, same=1), [])
    assert place.here == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("here", "why"),
    [({"a": 7}, "changed here as well"), ({}, "has been ended here")],
)
def test_what_changed_on_both_sides_is_for_somebody_to_decide(
    sqlite_engine: Engine, here: dict[str, int], why: str
) -> None:
    place = Place()
    take(sqlite_engine, place, [("a", 1)])
    place.here = dict(here)
    assert take(sqlite_engine, place, [("a", 1)]) == (Counts(same=1), [])
    place.here = dict(here)
    counts, (conflict,) = take(sqlite_engine, place, [("a", 2)], keep_ours=False)
    assert counts == Counts(kept=1)
    assert why in conflict


def test_one_that_is_here_already_is_not_written_over(sqlite_engine: Engine) -> None:
    place = Place()
    place.here = {"a": 5}
    counts, (conflict,) = take(sqlite_engine, place, [("a", 1)])
    assert counts == Counts(kept=1)
    assert conflict == "thing a: there is one here already that was not imported"


def test_what_is_kept_is_decided_once(sqlite_engine: Engine) -> None:
    place = Place()
    take(sqlite_engine, place, [("a", 1)])
    place.here["a"] = 7
    assert take(sqlite_engine, place, [("a", 2)], keep_ours=True) == (Counts(kept=1), [])
    assert take(sqlite_engine, place, [("a", 2)]) == (Counts(same=1), [])
    assert take(sqlite_engine, place, [("a", 3)]) == (Counts(changed=1), [])
    assert place.here == {"a": 3}
