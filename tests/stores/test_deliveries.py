"""Each way is told of each notice once, whatever fails, and of its end by whoever was told."""

from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from tests.stores.test_notices import NOON_S, note, tell

from tidegate.core.notice import NotDelivered
from tidegate.stores import database, deliveries, notices, silences, told
from tidegate.stores.audit import Author
from tidegate.stores.deliveries import LEASE_S, MAX_TRIES, SINGLES
from tidegate.stores.schema_notices import deliveries as table
from tidegate.stores.silences import Matchers, Silence
from tidegate.stores.told import Delivery

AWAY = NotDelivered("ConnectError")


def routed(engine: Engine, now_s: float = NOON_S, ways: Iterable[str] = ("chat",)) -> list[str]:
    """The keys of what goes nowhere."""
    with database.writing(engine) as connection:
        found = deliveries.route(connection, lambda _: ways, now_s)
        deliveries.end_told(connection, now_s)
        return [one.key for one in found]


def claimed(
    engine: Engine, now_s: float = NOON_S, way: str = "chat", repeatable: bool = True
) -> tuple[Delivery, list[str]] | None:
    with database.writing(engine) as connection:
        found = deliveries.claim(connection, way, now_s, repeatable)
        return None if found is None else (found[0], [one.key for one in found[1]])


def must(found: tuple[Delivery, list[str]] | None) -> tuple[Delivery, list[str]]:
    assert found is not None
    return found


def arrived(engine: Engine, delivery: Delivery, at_s: float = NOON_S) -> None:
    with database.writing(engine) as connection:
        deliveries.delivered(connection, delivery, at_s)


def failed(engine: Engine, delivery: Delivery, at_s: float, why: NotDelivered = AWAY) -> Delivery:
    with database.writing(engine) as connection:
        return deliveries.failed(connection, delivery, why, at_s)


def test_each_way_has_a_message_of_its_own(engine: Engine) -> None:
    note(engine, tell("a"))
    assert routed(engine, ways=("chat", "mail")) == []
    first, keys = must(claimed(engine))
    second, _ = must(claimed(engine, way="mail"))
    assert (keys, first.way, second.way, first.tries) == (["a"], "chat", "mail", 1)
    assert first.id != second.id
    arrived(engine, first)
    assert claimed(engine) is None
    with database.reading(engine) as connection:
        assert deliveries.busy(connection) == ["mail"]
        (of_a,) = told.of_notices(connection, [notices.recent(connection)[0].id]).values()
    assert [(way, one and one.state) for way, one in of_a] == [
        ("chat", "delivered"),
        ("mail", "sending"),
    ]


def test_what_no_way_is_declared_for_is_said(engine: Engine) -> None:
    note(engine, tell("a"))
    assert routed(engine, ways=()) == ["a"]
    assert routed(engine) == []
    assert claimed(engine) is None


def test_a_try_that_failed_is_repeated_as_it_was_with_growing_pauses(engine: Engine) -> None:
    note(engine, tell("a"))
    routed(engine)
    one, _ = must(claimed(engine))
    now_s, pauses = NOON_S, []
    while True:
        after = failed(engine, one, now_s)
        if after.state == "dead":
            break
        assert claimed(engine, after.due_at_s - 0.01) is None
        pauses.append(after.due_at_s - now_s)
        now_s = after.due_at_s
        again, keys = must(claimed(engine, now_s))
        assert (again.id, again.tries, keys) == (one.id, one.tries + 1, ["a"])
        one = again
    assert one.tries == MAX_TRIES
    assert 0.8 <= pauses[0] <= 1 and 1.6 <= pauses[1] <= 2
    assert 48 <= min(pauses[10:]) <= max(pauses) <= 60
    assert 2700 < sum(pauses) < 3900
    assert claimed(engine, now_s + 1e5) is None


def test_a_receiver_may_ask_for_a_longer_pause_but_not_for_ever(engine: Engine) -> None:
    note(engine, tell("a"))
    routed(engine)
    one, _ = must(claimed(engine))
    asked = failed(engine, one, NOON_S, NotDelivered("status 429", retry_after_s=30.0))
    assert asked.due_at_s == NOON_S + 30
    two, _ = must(claimed(engine, NOON_S + 30))
    asked = failed(engine, two, NOON_S + 30, NotDelivered("status 429", retry_after_s=1e9))
    assert asked.due_at_s == NOON_S + 630


def test_what_can_never_arrive_is_given_up_at_once_and_stays_to_be_seen(engine: Engine) -> None:
    note(engine, tell("a"))
    routed(engine)
    one, _ = must(claimed(engine))
    after = failed(engine, one, NOON_S, NotDelivered("status 400", final=True))
    assert (after.state, after.error, after.ended_at_s) == ("dead", "status 400", NOON_S)
    assert claimed(engine, NOON_S + 1e5) is None


def test_one_whose_process_died_is_tried_again_only_where_its_receiver_knows_it_again(
    engine: Engine,
) -> None:
    for key in ("a", "b"):
        note(engine, tell(key))
        routed(engine, ways=(key,))
        one, _ = must(claimed(engine, way=key))
        repeatable = key == "a"
        assert claimed(engine, NOON_S + LEASE_S - 1, key, repeatable) is None
        again = claimed(engine, NOON_S + LEASE_S, key, repeatable)
        assert (again is not None and again[0].id == one.id) is repeatable
    with database.reading(engine) as connection:
        rows = connection.execute(select(table.c.way, table.c.state)).all()
    assert {tuple(row) for row in rows} == {("a", "sending"), ("b", "unknown")}


def test_whoever_lost_the_claim_changes_nothing(engine: Engine) -> None:
    note(engine, tell("a"))
    routed(engine)
    late, _ = must(claimed(engine))
    now, _ = must(claimed(engine, NOON_S + LEASE_S))
    failed(engine, late, NOON_S + LEASE_S, NotDelivered("late", final=True))
    arrived(engine, now)
    assert claimed(engine, NOON_S + 1e5) is None
    with database.reading(engine) as connection:
        assert connection.execute(select(table.c.state)).scalars().all() == ["delivered"]


def test_a_clock_set_back_does_not_make_a_message_wait_for_it(engine: Engine) -> None:
    note(engine, tell("a"))
    routed(engine)
    one, _ = must(claimed(engine))
    failed(engine, one, NOON_S)
    assert claimed(engine, NOON_S - 86_400) is not None


def test_a_few_go_one_by_one_and_a_storm_goes_together(engine: Engine) -> None:
    for number in range(3):
        note(engine, tell(f"few-{number}"))
    routed(engine)
    singles = [must(claimed(engine)) for _ in range(3)]
    assert sorted(keys for _, keys in singles) == [["few-0"], ["few-1"], ["few-2"]]
    for one, _ in singles:
        arrived(engine, one)
    for number in range(300):
        note(engine, tell(f"storm-{number:03}"))
    routed(engine)
    sizes = []
    for second in range(200):
        found = claimed(engine, NOON_S + second)
        if found is not None:
            sizes.append(len(found[1]))
            arrived(engine, found[0])
    assert sizes == [200, 100]


def test_after_so_many_in_a_minute_the_next_wait_and_a_page_waits_for_no_ticket(
    engine: Engine,
) -> None:
    for number in range(SINGLES):
        note(engine, tell(f"ticket-{number}"))
        routed(engine)
        one, _ = must(claimed(engine, NOON_S + number))
        arrived(engine, one)
    for number in range(7):
        note(engine, tell(f"more-{number}"))
    routed(engine)
    assert claimed(engine, NOON_S + 10) is None
    note(engine, tell("page", severity="page"))
    routed(engine)
    page, keys = must(claimed(engine, NOON_S + 10))
    assert (keys, page.severity) == (["page"], "page")
    _, together = must(claimed(engine, NOON_S + 60))
    assert len(together) == 7


def test_while_a_way_is_down_its_notices_gather_and_one_bad_message_holds_up_none(
    engine: Engine,
) -> None:
    note(engine, tell("bad"))
    routed(engine)
    bad, _ = must(claimed(engine))
    failed(engine, bad, NOON_S)
    for number in range(30):
        note(engine, tell(f"later-{number:02}"))
    routed(engine)
    _, keys = must(claimed(engine))
    assert len(keys) == 30  # the message before waits for its next try
    for number in range(3):
        note(engine, tell(f"last-{number}"))
        routed(engine)
    must(claimed(engine))
    assert claimed(engine) is None  # three are under way: the way is down


def test_the_end_is_told_by_the_ways_that_told_of_it(engine: Engine) -> None:
    note(engine, tell("a"))
    routed(engine, ways=("chat", "dead", "slow"))
    one, _ = must(claimed(engine))
    arrived(engine, one)
    dead, _ = must(claimed(engine, way="dead"))
    failed(engine, dead, NOON_S, NotDelivered("gone", final=True))
    slow, _ = must(claimed(engine, way="slow"))
    note(engine, tell("a", resolved=True, text="It is over."), NOON_S + 60)
    routed(engine, NOON_S + 60)
    routed(engine, NOON_S + 61)
    ending, keys = must(claimed(engine, NOON_S + 61))
    assert (ending.ends, keys) == (one.id, ["a"])
    assert claimed(engine, NOON_S + 61, "dead") is None
    failed(engine, slow, NOON_S + 61)
    retried, _ = must(claimed(engine, NOON_S + 70, "slow"))
    assert retried.ends is None  # told of first, however late
    arrived(engine, retried)
    routed(engine, NOON_S + 71)
    assert must(claimed(engine, NOON_S + 71, "slow"))[0].ends == slow.id
    with database.reading(engine) as connection:
        assert not deliveries.anything_new(connection, NOON_S + 72)
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 5


def test_what_came_and_went_before_anybody_looked_is_told_all_the_same(engine: Engine) -> None:
    note(engine, tell("a"))
    note(engine, tell("a", resolved=True))
    routed(engine)
    one, keys = must(claimed(engine))
    assert (one.ends, keys) == (None, ["a"])
    arrived(engine, one)
    routed(engine)
    assert must(claimed(engine))[0].ends == one.id


def test_what_was_told_together_is_ended_together(engine: Engine) -> None:
    for number in range(6):
        note(engine, tell(f"k{number}"))
    routed(engine)
    one, keys = must(claimed(engine))
    assert len(keys) == 6
    arrived(engine, one)
    for number in range(6):
        routed(engine, NOON_S + 5)
        assert claimed(engine, NOON_S + 5) is None
        note(engine, tell(f"k{number}", resolved=True))
    routed(engine, NOON_S + 5)
    ending, ended = must(claimed(engine, NOON_S + 5))
    assert (ending.ends, ended) == (one.id, keys)


def test_what_became_graver_is_ended_once(engine: Engine) -> None:
    note(engine, tell("a"))
    routed(engine)
    first, _ = must(claimed(engine))
    arrived(engine, first)
    note(engine, tell("a", severity="page"))
    routed(engine)
    second, _ = must(claimed(engine))
    arrived(engine, second)
    note(engine, tell("a", resolved=True))
    routed(engine)
    ending, _ = must(claimed(engine))
    assert ending.ends == second.id
    arrived(engine, ending)
    assert claimed(engine) is None


def silence(engine: Engine, at_s: float, lasts_s: float = 60.0, **what: Any) -> Silence:
    with database.writing(engine) as connection:
        one = silences.add(connection, Matchers(**what), at_s + lasts_s, "", Author("ops", at_s))
        deliveries.hold_back(connection, one)
        return one


def test_what_is_silenced_is_told_when_the_silence_is_over_if_it_still_holds(
    engine: Engine,
) -> None:
    silence(engine, NOON_S, key="a*")
    for key in ("a1", "a2", "b"):
        note(engine, tell(key))
    routed(engine)
    told, keys = must(claimed(engine))
    assert keys == ["b"]
    arrived(engine, told)
    assert claimed(engine) is None
    note(engine, tell("a1", resolved=True))
    routed(engine, NOON_S + 59)
    assert claimed(engine, NOON_S + 59) is None
    routed(engine, NOON_S + 60)
    assert must(claimed(engine, NOON_S + 60))[1] == ["a2"]
    routed(engine, NOON_S + 61)
    assert claimed(engine, NOON_S + 61) is None


def test_a_silence_takes_back_what_waits_but_ends_are_told(engine: Engine) -> None:
    note(engine, tell("told"))
    routed(engine)
    told, _ = must(claimed(engine))
    arrived(engine, told)
    note(engine, tell("waiting"))
    routed(engine)
    silence(engine, NOON_S, topic="burn")
    assert claimed(engine) is None
    note(engine, tell("told", resolved=True))
    routed(engine)
    assert must(claimed(engine))[0].ends == told.id


def test_two_that_look_at_once_send_it_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(engine, tell("a"))
    routed(engine)
    one, _ = must(claimed(engine))
    failed(engine, one, NOON_S)
    stale = deliveries._due
    with database.reading(engine) as connection:
        seen = stale(connection, "chat", NOON_S + 60)
    assert claimed(engine, NOON_S + 60) is not None
    monkeypatch.setattr(deliveries, "_due", lambda *_: seen)
    assert claimed(engine, NOON_S + 60) is None
