"""Captured requests are kept once, for as long as was said, and are gone when they are deleted."""

import pytest
from sqlalchemy import Engine
from tests.stores.said import DAY_S, NOON_S, captured, feedback, recorded, table_bytes

from tidegate.core.capture import Captured
from tidegate.core.deletion import Deletion
from tidegate.stores import captures, database
from tidegate.stores import feedback as feedback_of
from tidegate.stores.captures import Which

EVERY = Which()


def store(engine: Engine, *several: Captured, now_s: float = NOON_S) -> int:
    with database.writing(engine) as connection:
        return captures.store(connection, several, now_s)


def ids(engine: Engine, which: Which = EVERY, now_s: float = NOON_S) -> list[str]:
    with database.reading(engine) as connection:
        return [it.receipt_id for it in captures.newest(connection, which, now_s)]


def remove(engine: Engine, what: Deletion) -> tuple[int, int]:
    with database.writing(engine) as connection:
        return captures.remove(connection, what, NOON_S)


def test_it_is_stored_once_and_comes_back_whole(engine: Engine) -> None:
    made = captured(
        calls=(("find", "{}"),),
        redacted={"email": 2},
        arm="canary",
        cut=True,
        answer="a\0b",
        customer="acme",
    )
    assert store(engine, made, made) == 1
    assert store(engine, captured(answer="other")) == 0
    with database.reading(engine) as connection:
        found = captures.by_id(connection, made.receipt_id, NOON_S)
        assert found is not None
        assert found.answer == "a\ufffdb"
        assert (found.calls, found.redacted, found.arm) == (made.calls, made.redacted, "canary")
        assert captures.by_id(connection, made.receipt_id, made.until_s) is None
        assert captures.by_id(connection, "other", NOON_S) is None


def test_they_are_found_by_what_they_are_and_page_by_page(engine: Engine) -> None:
    every = [
        captured(NOON_S + n, n, route="chat" if n % 2 else "other", customer=f"c{n % 3}")
        for n in range(6)
    ]
    assert store(engine, *every) == 6
    newest = [it.receipt_id for it in reversed(every)]
    assert ids(engine) == newest
    assert ids(engine, Which(route="chat")) == newest[::2]
    assert ids(engine, Which(customer="c0")) == [newest[2], newest[5]]
    assert ids(engine, Which(since_s=NOON_S + 4)) == newest[:2]
    assert ids(engine, Which(before_id=newest[2])) == newest[3:]


def test_a_list_has_sizes_and_nothing_that_was_said(engine: Engine) -> None:
    made = captured(answer="canary", calls=(("f", "{}"),), redacted={"ip": 1})
    assert store(engine, made) == 1
    with database.reading(engine) as connection:
        [row] = captures.listed(connection, Which(route="chat"), NOON_S)
    assert (row["answer_chars"], row["asked_chars"], row["calls"]) == (6, len(made.messages), 1)
    assert row["redacted"] == {"ip": 1}
    assert "canary" not in repr(row) and "messages" not in row


def test_they_are_found_by_how_they_were_rated(engine: Engine) -> None:
    receipts = [recorded(engine) for _ in range(3)]
    assert store(engine, *(captured(receipt_id=it.id) for it in receipts)) == 3
    said = [feedback(receipts[0], rating=-1.0), feedback(receipts[1], rating=0.5)]
    with database.writing(engine) as connection:
        feedback_of.store(connection, said)
    assert ids(engine, Which(rated="down")) == [receipts[0].id]
    assert ids(engine, Which(rated="up")) == [receipts[1].id]


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (Deletion(NOON_S + 10, customer="acme"), {"beta", "late"}),
        (Deletion(NOON_S + 10, end_user="ana"), {"acme", "late"}),
        (Deletion(NOON_S + 10), {"late"}),
        (Deletion(NOON_S), {"acme", "beta", "late"}),
    ],
)
def test_what_is_deleted_is_gone_and_does_not_come_again(
    engine: Engine, what: Deletion, left: set[str]
) -> None:
    every = [
        captured(NOON_S, 1, customer="acme", answer="canary-acme"),
        captured(NOON_S, 2, customer="beta", end_user="ana", answer="canary-beta"),
        captured(NOON_S + 100, 3, customer="acme", end_user="ana", answer="canary-late"),
    ]
    assert store(engine, *every[:2]) == 2
    gone, _ = remove(engine, what)
    assert gone == 2 - len(left - {"late"})
    # What lay in a spool meanwhile, or is read from one again.
    store(engine, *every)
    kept = table_bytes(engine)
    assert {name for name in ("acme", "beta", "late") if f"canary-{name}".encode() in kept} == left


def test_feedback_of_a_customer_goes_with_what_was_said(engine: Engine) -> None:
    receipt = recorded(engine, end_user="ana")
    said = [
        feedback(receipt, "comment", customer="acme", comment="canary-1"),
        feedback("waiting", "comment", customer="acme", comment="canary-2"),
        feedback(receipt, "rating", key_id="k", customer="beta", rating=1.0),
    ]
    with database.writing(engine) as connection:
        feedback_of.store(connection, said)
    assert b"canary" in table_bytes(engine)
    assert remove(engine, Deletion(NOON_S + 1, customer="acme")) == (0, 2)
    with database.writing(engine) as connection:
        counts = feedback_of.store(connection, said)
    assert counts == {"deleted": 2, "attached": 1}
    assert b"canary" not in table_bytes(engine)


def test_what_is_old_is_dropped_by_what_is_declared_then_or_now(engine: Engine) -> None:
    every = [
        captured(NOON_S, 1, until_s=NOON_S + DAY_S),
        captured(NOON_S, 2, until_s=NOON_S + 9 * DAY_S, route="shorter"),
        captured(NOON_S, 3, until_s=NOON_S + 9 * DAY_S),
    ]
    assert store(engine, *every) == 3
    now_s = NOON_S + 2 * DAY_S
    assert captures.drop_old(engine, now_s, {"shorter": DAY_S, "chat": 30 * DAY_S}) == 2
    assert ids(engine, now_s=now_s) == [every[2].receipt_id]
    assert store(engine, every[0], now_s=now_s) == 0
    assert captures.drop_old(engine, NOON_S + 9 * DAY_S, {}) == 1


def test_nothing_deleted_is_left_in_the_file(sqlite_engine: Engine) -> None:
    canary = "canary-" + "y" * 40
    many = [captured(NOON_S, n, answer=canary * 20, customer="acme") for n in range(50)]
    assert store(sqlite_engine, *many) == 50
    assert remove(sqlite_engine, Deletion(NOON_S + 1, customer="acme"))[0] == 50
    with sqlite_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    path = database.path_of(sqlite_engine)
    with open(path, "rb") as file:  # noqa: PTH123
        assert canary.encode() not in file.read()
