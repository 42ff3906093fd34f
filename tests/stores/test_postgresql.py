"""The driver's deadlines, and what a gateway reads with it."""

import psycopg
import pytest
from tests.postgres import Server

from tidegate.core.secret import Secret
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.postgresql import plug

pytestmark = pytest.mark.postgres


def test_a_frozen_server_costs_the_patience_and_the_connection(
    postgres: Server, shared: Secret
) -> None:
    link = plug.connect(shared, patience_s=0.3, autocommit=True)
    with postgres.frozen(), pytest.raises(psycopg.OperationalError, match=r"no answer for 0\.3 s"):
        link.execute("SELECT 1")
    assert link.closed
    with plug.connect(shared, patience_s=10.0) as again:
        assert again.execute("SELECT 1").fetchone() == (1,)


def test_a_frozen_server_cannot_be_connected_to_for_ever(postgres: Server, shared: Secret) -> None:
    with postgres.frozen(), pytest.raises(StoreUnavailable, match="timeout"):
        plug.reader(shared, timeout_s=0.3)


def test_a_commit_that_takes_too_long_closes_its_connection(
    postgres: Server, shared: Secret
) -> None:
    link = plug.connect(shared, patience_s=0.3)
    link.execute("INSERT INTO meta VALUES ('a', 'b')")
    with postgres.frozen(), pytest.raises(psycopg.OperationalError, match="no answer"):
        link.commit()
    assert link.closed


def test_a_connection_that_the_server_ended_is_stale(postgres: Server, shared: Secret) -> None:
    with plug.connect(shared, patience_s=5.0, autocommit=True) as link:
        assert not link.is_stale()
        with plug.connect(shared, patience_s=5.0, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (link.info.backend_pid,))
        assert link.is_stale()


def test_what_is_acknowledged_is_on_disk_whatever_the_database_says(shared: Secret) -> None:
    name = shared.reveal().rpartition("/")[2]
    with plug.connect(shared, patience_s=5.0, autocommit=True) as link:
        assert link.execute("SHOW synchronous_commit").fetchone() == ("on",)
        link.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with plug.connect(shared, patience_s=5.0) as link:
        assert link.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_an_address_may_set_its_own_way_of_connecting(shared: Secret) -> None:
    own = Secret(f"{shared.reveal()}?application_name=mine")
    with plug.connect(own, patience_s=5.0) as link:
        assert link.execute("SHOW application_name").fetchone() == ("mine",)


def test_no_error_tells_the_password(postgres: Server) -> None:
    for address in (
        f"postgresql://tidegate:hush-hush@127.0.0.1:{postgres.port}/nowhere",
        "postgresql://tidegate:hush-hush@127.0.0.1:1/nowhere",
        "postgresql://tidegate:hush-hush@no.such.host.invalid/nowhere",
        "postgresql://tidegate:hush-hush@127.0.0.1/nowhere?nonsense=hush-hush",
    ):
        with pytest.raises(StoreUnavailable) as caught:
            plug.reader(Secret(address), timeout_s=5.0)
        assert "hush-hush" not in str(caught.value)


def test_a_reader_cannot_write_and_understands_the_house_s_statements(shared: Secret) -> None:
    reader = plug.reader(shared, timeout_s=5.0)
    asked = "SELECT CAST(1.7 AS INTEGER), ? || '%'"
    assert reader.execute(
        asked.replace("1.7", "x") + " FROM (SELECT 1.7 AS x) n", ("a",)
    ).fetchone()
    named = "SELECT :it IS NULL, :it, instr(:bytes, :part) > 0"
    row = reader.execute(named, {"it": None, "bytes": b"abc", "part": b"bc"}).fetchone()
    assert row == (True, None, True)
    with pytest.raises(StoreUnavailable, match="read-only"):
        reader.execute("DELETE FROM keys")
    reader.close()
