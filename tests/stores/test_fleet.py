"""Gateways of all machines: each machine tells of its own, the others are looked at."""

import pytest
from sqlalchemy import Engine, select, update

from tidegate.stores import database, fleet
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.fleet import Obeying
from tidegate.stores.schema_shared import gateways

pytestmark = pytest.mark.postgres


def test_a_machine_sees_the_gateways_of_others(shared_engine: Engine) -> None:
    fleet.tell(shared_engine, "one", [Obeying("gateway-0", 5, 2), Obeying("gateway-1", 4)])
    fleet.tell(shared_engine, "two", [Obeying("gateway-0", 3, 1, "no such kind")])
    assert fleet.others(shared_engine, "one") == [
        (Obeying("two/gateway-0", 3, 1, "no such kind"), True)
    ]
    assert [one.name for one, _ in fleet.others(shared_engine, "two")] == [
        "one/gateway-0",
        "one/gateway-1",
    ]


def test_what_is_told_replaces_what_was(shared_engine: Engine) -> None:
    fleet.tell(shared_engine, "one", [Obeying("gateway-0", 5), Obeying("gateway-1", 4)])
    fleet.tell(shared_engine, "two", [Obeying("gateway-0", 1)])
    fleet.tell(shared_engine, "one", [Obeying("gateway-0", 6)])
    assert fleet.others(shared_engine, "two") == [(Obeying("one/gateway-0", 6), True)]
    assert fleet.others(shared_engine, "one") == [(Obeying("two/gateway-0", 1), True)]


def test_what_is_not_new_is_told_now_and_then(
    shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, written = [100.0], []
    monkeypatch.setattr(fleet.clock, "monotonic_s", lambda: now_s[0])
    monkeypatch.setattr(fleet, "tell", lambda *told: written.append(told[2]))
    telling = fleet.Telling(shared_engine, "one")
    first, second = [Obeying("gateway-0", 5)], [Obeying("gateway-0", 6)]
    for running in (first, first, second, second):
        telling.tell(running)
    assert written == [first, second]
    now_s[0] += fleet.QUIET_S / 2
    telling.tell(second)
    assert written == [first, second, second], "before anybody takes it for gone"


def test_what_could_not_be_told_is_told_again(
    shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    telling = fleet.Telling(shared_engine, "one")
    telling.tell([])
    with monkeypatch.context() as patched, pytest.raises(StoreUnavailable):
        patched.setattr(fleet, "tell", away)
        telling.tell([Obeying("gateway-0", 5)])
    telling.tell([])
    telling.tell([Obeying("gateway-0", 5)])
    assert fleet.others(shared_engine, "two") == [(Obeying("one/gateway-0", 5), True)]


def test_who_is_behind_or_was_not_heard_of_is_waited_for(shared_engine: Engine) -> None:
    fleet.tell(shared_engine, "one", [Obeying("gateway-0", 5), Obeying("gateway-1", 6)])
    assert fleet.behind(shared_engine, "two", 5) == []
    assert fleet.behind(shared_engine, "two", 6) == ["one/gateway-0"]
    assert fleet.behind(shared_engine, "one", 7) == []

    def grow_old(by_s: float) -> None:
        with database.writing(shared_engine) as connection:
            connection.execute(update(gateways).values(at_s=gateways.c.at_s - by_s))

    grow_old(fleet.QUIET_S)
    assert fleet.behind(shared_engine, "two", 5) == ["one/gateway-0", "one/gateway-1"]
    grow_old(60.0)
    assert fleet.behind(shared_engine, "two", 5) == [], "gone"


def test_machines_that_are_gone_for_good_leave_no_rows(shared_engine: Engine) -> None:
    fleet.tell(shared_engine, "one", [Obeying("gateway-0", 5)])
    with database.writing(shared_engine) as connection:
        connection.execute(update(gateways).values(at_s=gateways.c.at_s - 86_000.0))
    fleet.forget(shared_engine)
    fleet.tell(shared_engine, "two", [Obeying("gateway-0", 5)])
    with database.writing(shared_engine) as connection:
        assert len(connection.execute(select(gateways)).all()) == 2
        connection.execute(update(gateways).values(at_s=gateways.c.at_s - 500.0))
    fleet.forget(shared_engine)
    with database.reading(shared_engine) as connection:
        assert connection.execute(select(gateways.c.name)).scalars().all() == ["two/gateway-0"]


def test_alone_nobody_else_is_waited_for(sqlite_engine: Engine) -> None:
    assert fleet.behind(sqlite_engine, "", 5) == []
