"""One of several leads, and another when it is gone."""

import time

import pytest
from sqlalchemy import Engine
from tests.postgres import Server

from tidegate.core.secret import Secret
from tidegate.stores import leader as module
from tidegate.stores import postgres_engine
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.leader import Leader


def test_without_a_shared_database_everybody_leads(sqlite_engine: Engine) -> None:
    assert Leader(sqlite_engine, "").look()
    assert Leader(sqlite_engine, "").look()


@pytest.mark.postgres
def test_one_leads_until_it_is_gone_and_the_others_know_who(shared_engine: Engine) -> None:
    one, other = Leader(shared_engine, "one-a"), Leader(shared_engine, "other-b")
    assert one.look()
    assert not other.look()
    assert other.name == "one-a"
    assert one.look(), "it goes on"
    one.close()
    assert other.look()
    assert not one.look()
    assert one.name == "other-b"
    other.close()


@pytest.mark.postgres
def test_one_that_stands_still_is_succeeded(
    shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STANDS_STILL_S", 0.3)
    still, other = Leader(shared_engine, "still"), Leader(shared_engine, "other")
    assert still.look()
    while not other.look():
        time.sleep(0.05)
    with pytest.raises(StoreUnavailable, match="idle-session timeout"):
        still.look()
    assert not still.look()
    assert still.name == "other"
    other.close()


@pytest.mark.postgres
def test_databases_of_one_server_have_a_leader_each(
    postgres: Server, migrated_postgres: str, shared_engine: Engine
) -> None:
    url = postgres.database(migrated_postgres)
    beside = postgres_engine.open_engine(url)
    one, other = Leader(shared_engine, "one"), Leader(beside, "other")
    assert one.look()
    assert other.look()
    one.close()
    other.close()
    beside.dispose()
    postgres.drop(url)


@pytest.mark.postgres
def test_who_loses_its_connection_leads_no_longer_and_may_again(
    postgres: Server, shared: Secret, shared_engine: Engine
) -> None:
    leader = Leader(shared_engine, "one")
    assert leader.look()
    postgres.kill()
    with pytest.raises(StoreUnavailable):
        leader.look()
    postgres.start()
    successor = Leader(shared_engine, "two")
    assert successor.look()
    assert not leader.look()
    successor.close()
    leader.close()
