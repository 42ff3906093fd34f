"""Bins in the store: added to what is there, by minute, hour, day and week."""

import pytest
from sqlalchemy import Engine, select
from tests.stores.signal_rig import NOON_S, add, key, one

from tidegate.stores import database, signal_bins, signal_marks
from tidegate.stores.schema_signals import signals
from tidegate.stores.signal_bins import DAY_S, HOUR_S, WEEK_S, SignalWriter


def rows(engine: Engine) -> list[tuple[int, int, str, int]]:
    c = signals.c
    query = select(c.span_s, c.start_s, c.node, c.requests).order_by(*signals.primary_key)
    with database.reading(engine) as connection:
        return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def test_what_comes_later_is_added_to_its_minute_hour_day_and_week(engine: Engine) -> None:
    hour_s, day_s, week_s = (NOON_S - NOON_S % span_s for span_s in (HOUR_S, DAY_S, WEEK_S))
    add(engine, {key(): one(requests=2), key(NOON_S + 60): one(requests=3)})
    add(engine, {key(): one(requests=10)})
    assert rows(engine) == [
        (60, NOON_S, "", 12),
        (60, NOON_S + 60, "", 3),
        (HOUR_S, hour_s, "", 15),
        (DAY_S, day_s, "", 15),
        (WEEK_S, week_s, "", 15),
    ]


def test_each_recorder_has_rows_of_its_own(engine: Engine) -> None:
    add(engine, {key(): one(requests=2)}, "a")
    add(engine, {key(): one(requests=3)}, "b")
    minutes = [row for row in rows(engine) if row[0] == 60]
    assert minutes == [(60, NOON_S, "a", 2), (60, NOON_S, "b", 3)]


def test_a_transaction_that_fails_leaves_neither_rows_nor_the_mark(engine: Engine) -> None:
    add(engine, {key(): one()}, seq=4)
    before = rows(engine)
    writer = SignalWriter(engine, "")
    with pytest.raises(RuntimeError), database.writing(engine) as connection:
        writer.add(connection, {key(route="new"): one(), key(): one()}, 9)
        raise RuntimeError
    writer.forget()
    assert rows(engine) == before
    with database.writing(engine) as connection:
        assert signal_marks.folded(connection, "") == 4
        writer.add(connection, {key(route="new"): one()}, 9)
    assert len(rows(engine)) == len(before) + 4


def test_many_scopes_at_once_are_each_added_to(engine: Engine) -> None:
    many = {key(target=f"t{number}"): one() for number in range(900)}
    add(engine, many)
    add(engine, many)
    assert {row[3] for row in rows(engine)} == {2}


def test_minutes_go_after_days_and_the_rest_after_months(engine: Engine) -> None:
    add(engine, {key(NOON_S - age_s): one() for age_s in (0, 5 * DAY_S, 401 * DAY_S)})
    add(engine, {key(NOON_S - 500 * DAY_S): one()})
    assert signal_bins.drop_old(engine, NOON_S + 60, part_rows=1) == 16
    assert signal_bins.drop_old(engine, NOON_S + 60) == 0
    kept = [
        (span_s, start_s > NOON_S - DAY_S)
        for span_s, start_s, _, _ in rows(engine)
        if span_s < WEEK_S
    ]
    assert kept == [(60, True), (HOUR_S, False), (HOUR_S, True), (DAY_S, False), (DAY_S, True)]
