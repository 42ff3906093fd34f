"""A scheduled change begins once, when its time has come and whoever must has said yes."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from tidegate.core.change import Change
from tidegate.stores import audit, changes, database, schedule
from tidegate.stores.audit import Author
from tidegate.stores.changes import ChangeNotFound, ChangeRefused, LeverTaken
from tidegate.stores.schedule import BEGUN, Scheduled

NOW_S = 1_790_000_000.0
AT_S = NOW_S + 3600


def made(engine: Engine, needs: int = 0, **fields: Any) -> Scheduled:
    plain: dict[str, Any] = {
        "id": "c1",
        "lever": "target_off",
        "scope": "small",
        "value": 1.0,
        "reason": "it is moved",
        "author": "operator:ann",
        "from_s": AT_S,
        "until_s": AT_S + 600,
    }
    one = Scheduled(Change(**{**plain, **fields}), needs)
    with database.writing(engine) as connection:
        schedule.add(connection, one, NOW_S)
    return one


def due(engine: Engine, now_s: float) -> list[str]:
    with database.reading(engine) as connection:
        return [one.change.id for one in schedule.due(connection, now_s)]


def begun(engine: Engine, one: Scheduled, now_s: float) -> Change | None:
    with database.writing(engine) as connection:
        return schedule.begin(connection, one, now_s)


def in_force(engine: Engine, now_s: float) -> list[Change]:
    with database.reading(engine) as connection:
        return changes.in_force(connection, now_s)


def test_it_holds_nothing_before_its_time_and_begins_once(engine: Engine) -> None:
    one = made(engine)
    assert due(engine, AT_S - 0.1) == [] and in_force(engine, NOW_S) == []
    assert due(engine, AT_S) == ["c1"]
    change = begun(engine, one, AT_S + 1)
    assert change is not None and (change.id, change.from_s) == ("c1", AT_S + 1)
    assert begun(engine, one, AT_S + 1) is None, "a second control that saw its time come"
    assert due(engine, AT_S + 2) == []
    assert [it.remaining_s(AT_S + 2, 0.0) for it in in_force(engine, AT_S + 2)] == [598.0]
    assert in_force(engine, AT_S + 600) == []
    with database.reading(engine) as connection:
        assert schedule.find(connection, "c1").closed_why == BEGUN
        assert schedule.never_begun(connection, 10) == []
        what = [row.what for row in audit.recent(connection, limit=10)]
    assert what == ["change.set", "change.schedule"]


def test_it_waits_for_who_must_say_yes(engine: Engine) -> None:
    made(engine, needs=1)
    assert due(engine, AT_S + 1) == []
    for actor in ("operator:ann", "operator:bob", "operator:bob"):
        with database.writing(engine) as connection:
            if actor == "operator:bob" and not schedule.find(connection, "c1").waits:
                with pytest.raises(ChangeRefused, match="nobody's approval"):
                    schedule.approve(connection, "c1", Author(actor, NOW_S))
            elif actor == "operator:ann":
                with pytest.raises(ChangeRefused, match="has spoken"):
                    schedule.approve(connection, "c1", Author(actor, NOW_S))
            else:
                schedule.approve(connection, "c1", Author(actor, NOW_S))
    assert due(engine, AT_S + 1) == ["c1"]
    with database.reading(engine) as connection:
        (one,) = schedule.to_come(connection)
    change = begun(engine, one, AT_S + 1)
    assert change is not None and change.approved_by == ("operator:bob",)
    assert in_force(engine, AT_S + 2) == [change]


def test_what_was_ended_never_begins(engine: Engine) -> None:
    one = made(engine)
    for first in (True, False):
        with database.writing(engine) as connection:
            assert schedule.close(connection, one, Author("operator:bob", NOW_S)) is first
    assert due(engine, AT_S + 1) == [] and begun(engine, one, AT_S + 1) is None
    with database.writing(engine) as connection:
        (kept,) = schedule.never_begun(connection, 10)
        assert (kept.closed_by, kept.closed_why) == ("operator:bob", "ended")
        assert not schedule.is_open(connection, "c1")
        assert schedule.trim(connection, NOW_S + 1) == 1
        with pytest.raises(ChangeNotFound):
            schedule.find(connection, "c1")


def test_who_holds_a_dial_when_it_begins_keeps_it(engine: Engine) -> None:
    one = made(engine, lever="target_weight", scope="chat/small", value=3.0)
    holder = replace(one.change, id="c0", author="operator:bob", from_s=NOW_S)
    with database.writing(engine) as connection:
        changes.hold(connection, holder)
    with pytest.raises(LeverTaken, match="held by operator:bob"):
        begun(engine, one, AT_S)
    assert due(engine, AT_S) == ["c1"], "nothing of it stays"


def test_what_should_be_over_by_now_is_due_also_where_nobody_said_yes(engine: Engine) -> None:
    made(engine, needs=1)
    assert due(engine, AT_S + 601) == ["c1"]


def test_what_could_never_be_is_refused_and_so_are_too_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ChangeRefused):
        made(engine, value=7.0)
    with pytest.raises(ChangeRefused):
        made(engine, until_s=AT_S)
    monkeypatch.setattr(schedule, "MOST_OPEN", 1)
    made(engine)
    with pytest.raises(ChangeRefused, match="scheduled already"):
        made(engine, id="c2")
