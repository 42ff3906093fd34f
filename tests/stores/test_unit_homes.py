"""Each unit of a release is counted by the recorder that it came to first."""

import threading
from collections.abc import Collection

import pytest
from sqlalchemy import Engine

from tidegate.stores import database, unit_homes
from tidegate.stores.unit_homes import KEPT_S

NOON_S = 1_790_000_000.0
EVERY = range(1 << 63, (1 << 63) + 30)


def claimed(engine: Engine, node: str, units: Collection[int], rollout: str = "r") -> set[int]:
    with database.writing(engine, alone=False) as connection:
        return set(unit_homes.claim(connection, rollout, node, units, NOON_S))


def test_who_claims_first_has_it_and_the_same_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_homes, "_AT_ONCE", 2)
    whole = {0, 1, 5, (1 << 64) - 1}
    assert claimed(engine, "a", whole) == set()
    assert claimed(engine, "b", {7, *whole}) == whole
    for _ in range(2):
        assert claimed(engine, "a", {7, 8, *whole}) == {7}
    assert claimed(engine, "b", whole, rollout="other") == set()
    assert claimed(engine, "b", set()) == set()


def test_of_two_at_once_each_unit_is_one_s(engine: Engine) -> None:
    lost: dict[str, set[int]] = {}

    def claim(node: str) -> None:
        lost[node] = claimed(engine, node, EVERY)

    threads = [threading.Thread(target=claim, args=(node,)) for node in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost["a"] | lost["b"] == set(EVERY) and not lost["a"] & lost["b"]


def test_what_is_old_is_forgotten(engine: Engine) -> None:
    claimed(engine, "a", {1})
    assert unit_homes.drop_old(engine, NOON_S + KEPT_S) == 0
    assert unit_homes.drop_old(engine, NOON_S + KEPT_S + 1) == 1
    assert claimed(engine, "b", {1}) == set()


def test_it_is_forgotten_a_part_at_a_time(engine: Engine) -> None:
    claimed(engine, "a", range(7))
    assert unit_homes.drop_old(engine, NOON_S + KEPT_S + 1, part_rows=3) == 7
    assert claimed(engine, "b", range(7)) == set()
