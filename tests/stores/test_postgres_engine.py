"""What the stores rely on, kept by PostgreSQL too: turns, snapshots, errors that say what to do."""

import threading
import time

import pytest
from sqlalchemy import Engine, insert, select, update
from tests.postgres import Server

from tidegate.core import plugs
from tidegate.core.plugs import PlugError
from tidegate.core.secret import Secret
from tidegate.stores import database, postgres_engine
from tidegate.stores.errors import DriverMissing, StoreContended, StoreUnavailable
from tidegate.stores.schema import meta


def test_a_driver_that_is_missing_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(kind: str, name: str) -> object:
        raise PlugError(f"{kind}: {name} does not load: No module named 'psycopg'")

    monkeypatch.setattr(plugs, "load", missing)
    with pytest.raises(DriverMissing, match=r"pip install 'tidegate\[postgres\]'"):
        postgres_engine.open_engine(Secret("postgresql://nowhere/db"))


@pytest.mark.postgres
def test_a_server_that_is_away_is_unavailable_and_its_password_stays_ours() -> None:
    with pytest.raises(StoreUnavailable, match=r"postgresql://ann@127\.0\.0\.1:1/db: ") as caught:
        postgres_engine.open_engine(Secret("postgresql://ann:hush-hush@127.0.0.1:1/db"))
    assert "hush-hush" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.postgres
def test_those_who_change_something_take_turns_and_the_ledger_does_not_wait(
    shared_engine: Engine,
) -> None:
    entered, ended = threading.Event(), []

    def change() -> None:
        entered.set()
        with database.writing(shared_engine) as connection:
            ended.append(connection.execute(select(meta.c.value)).scalar())

    thread = threading.Thread(target=change)
    with database.writing(shared_engine) as connection:
        connection.execute(insert(meta).values(name="a", value="first"))
        thread.start()
        entered.wait()
        with database.writing(shared_engine, alone=False) as beside:
            beside.execute(insert(meta).values(name="b", value="beside"))
        assert ended == []
        connection.execute(update(meta).values(value="last"))
    thread.join()
    assert ended == ["last"]


@pytest.mark.postgres
def test_reading_sees_one_snapshot_and_changes_nothing(shared_engine: Engine) -> None:
    with database.reading(shared_engine) as connection:
        assert connection.execute(select(meta)).all() == []
        with database.writing(shared_engine) as other:
            other.execute(insert(meta).values(name="a", value="b"))
        assert connection.execute(select(meta)).all() == []
        with pytest.raises(StoreUnavailable, match="read-only"), database.translated("it"):
            connection.execute(insert(meta).values(name="b", value="b"))
    with database.writing(shared_engine) as connection:  # the connection is as it was
        connection.execute(insert(meta).values(name="c", value="d"))


@pytest.mark.postgres
def test_of_two_that_lock_each_other_out_one_is_told_to_try_again(shared_engine: Engine) -> None:
    with database.writing(shared_engine) as connection:
        connection.execute(insert(meta), [{"name": n, "value": ""} for n in "ab"])
    both = threading.Barrier(2)
    found: list[Exception] = []

    def change(first: str, second: str) -> None:
        try:
            with database.writing(shared_engine, alone=False) as connection:
                connection.execute(update(meta).where(meta.c.name == first).values(value="x"))
                both.wait()
                connection.execute(update(meta).where(meta.c.name == second).values(value="x"))
        except StoreUnavailable as error:
            found.append(error)

    threads = [threading.Thread(target=change, args=pair) for pair in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in found] == [StoreContended]


@pytest.mark.postgres
def test_after_a_restart_of_the_server_the_next_one_connects_anew(
    postgres: Server, shared_engine: Engine
) -> None:
    with database.reading(shared_engine) as connection:
        connection.execute(select(meta)).all()
    postgres.kill()
    with pytest.raises(StoreUnavailable), database.reading(shared_engine) as connection:
        connection.execute(select(meta)).all()
    postgres.start()
    with database.reading(shared_engine) as connection:
        connection.execute(select(meta)).all()


@pytest.mark.postgres
def test_a_frozen_server_is_unavailable(postgres: Server, shared: Secret) -> None:
    engine = postgres_engine.open_engine(shared, patience_s=0.5)
    with (
        postgres.frozen(),
        pytest.raises(StoreUnavailable),
        database.writing(engine) as connection,
    ):
        connection.execute(insert(meta).values(name="a", value="b"))
    engine.dispose()


@pytest.mark.postgres
def test_too_many_clients_are_waited_out(postgres: Server, shared: Secret) -> None:
    with postgres.crowded(), pytest.raises(StoreUnavailable, match="too many clients"):
        postgres_engine.open_engine(shared)
    deadline_s = time.monotonic() + 30.0
    while True:  # the server frees a place a moment after its client is gone
        try:
            postgres_engine.open_engine(shared).dispose()
        except StoreUnavailable:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        else:
            break
