from sqlalchemy import Connection, Engine
from tests.stores.rig import NOON_S

from tidegate.core.controller import Set, Tell
from tidegate.stores import database, decisions
from tidegate.stores.decisions import Made

HELD = Set("release_weight", "chat", 0.05, "step 2")
TOLD = Tell("release", "k", "info", "t", "x")


def made(subject: str, before: bytes | None, after: bytes) -> Made:
    return Made("release", subject, "{}", before, (HELD, TOLD), after)


def kept(connection: Connection, one: Made, at_s: float) -> int:
    return decisions.keep(connection, [one], at_s, 3)[0]


def test_several_are_kept_in_their_order(engine: Engine) -> None:
    with database.writing(engine) as connection:
        some = [made(f"s{number}", b"", str(number).encode()) for number in range(7)]
        numbers = decisions.keep(connection, some, NOON_S, 1)
        assert numbers == sorted(numbers)
        known = decisions.remembered(connection, "release")
        assert {name: one.decision for name, one in known.items()} == {
            one.subject: number for one, number in zip(some, numbers, strict=True)
        }
        assert decisions.keep(connection, [], NOON_S, 1) == []


def test_a_decision_is_remembered_by_its_subject(engine: Engine) -> None:
    with database.writing(engine) as connection:
        kept(connection, made("a", b"", b"1"), NOON_S)
        number = kept(connection, made("a", None, b"2"), NOON_S + 1)
        kept(connection, made("b", b"", b"9"), NOON_S + 1)
        known = decisions.remembered(connection, "release")
        assert {name: bytes(one.memory) for name, one in known.items()} == {"a": b"2", "b": b"9"}
        assert known["a"].decision == number
        assert decisions.remembered(connection, "error_budget") == {}


def test_a_chain_leads_back_to_a_memory_that_is_kept(engine: Engine) -> None:
    with database.writing(engine) as connection:
        steps = [(b"", b"1"), (None, b"2"), (b"2", b"3"), (None, b"4")]
        numbers = [kept(connection, made("a", before, after), NOON_S) for before, after in steps]
        kept(connection, made("b", b"", b"9"), NOON_S)
        assert [one.seq for one in decisions.chain(connection, numbers[3])] == numbers[2:4]
        assert [one.seq for one in decisions.chain(connection, numbers[1])] == numbers[0:2]
        assert decisions.chain(connection, numbers[0])[0].proposals == (HELD, TOLD)
        assert decisions.chain(connection, 10**6) == []


def test_a_chain_whose_beginning_was_dropped_is_none(engine: Engine) -> None:
    with database.writing(engine) as connection:
        kept(connection, made("a", b"", b"1"), NOON_S)
        number = kept(connection, made("a", None, b"2"), NOON_S + 10)
    assert decisions.drop_old(engine, NOON_S + decisions.KEPT_S + 5) == 1
    with database.reading(engine) as connection:
        assert decisions.chain(connection, number) == []
        assert [one.seq for one in decisions.recent(connection)] == [number]


def test_recent_ones_are_of_a_subject_and_below_a_number(engine: Engine) -> None:
    with database.writing(engine) as connection:
        first = kept(connection, made("a", b"", b"1"), NOON_S)
        second = kept(connection, made("b", b"", b"1"), NOON_S)
        third = kept(connection, made("a", None, b"2"), NOON_S)
        assert [one.seq for one in decisions.recent(connection, subject="a")] == [third, first]
        found = decisions.recent(connection, before_seq=third, limit=1)
        assert [one.seq for one in found] == [second]


def test_old_ones_are_dropped_in_parts_and_what_is_remembered_stays(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for _ in range(5):
            kept(connection, made("a", b"", b"1"), NOON_S)
        last = kept(connection, made("a", b"", b"2"), NOON_S + 20)
    assert decisions.drop_old(engine, NOON_S + decisions.KEPT_S + 10, part_rows=2) == 5
    assert decisions.drop_old(engine, NOON_S + decisions.KEPT_S + 10, part_rows=2) == 0
    with database.reading(engine) as connection:
        assert [one.seq for one in decisions.recent(connection)] == [last]
        assert bytes(decisions.remembered(connection, "release")["a"].memory) == b"2"


def test_time_at_work_is_kept(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert decisions.active_s(connection) == 0.0
        decisions.work_on(connection, 12.5)
        decisions.work_on(connection, 22.5)
        assert decisions.active_s(connection) == 22.5
