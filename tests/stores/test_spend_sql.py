from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.stores import rig

from tidegate.core.limit import SEPARATOR
from tidegate.core.plan import Limit
from tidegate.stores.spend_reader import SpendReader


@pytest.fixture
def embedded(path: Path) -> Iterator[Engine]:
    """The embedded store: gateways read no other by themselves."""
    engine = rig.migrated(path)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("scope", "index"),
    [
        (("key",), "ix_spend_key"),
        (("team", "route"), "ix_spend_team"),
        (("customer",), "ix_spend_customer"),
        ((), "sqlite_autoindex_spend_1"),
        (("end_user",), "ix_receipts_end_user"),
        (("session", "end_user"), "ix_receipts_session_id"),
        (("trace",), "ix_receipts_trace_id"),
        (("attribute.project",), "ix_receipts_id"),
        (("end_user", "target"), "ix_receipts_end_user"),
        (("model", "attribute.project", "trace"), "ix_receipts_trace_id"),
    ],
)
def test_every_question_is_led_by_an_index(embedded: Engine, path: Path, scope, index: str) -> None:
    """The planner is asked about the very statements that ran."""
    reader = SpendReader(path, timeout_s=5.0)
    ran: list[str] = []
    limit = Limit("b", "spend", 1, scope, unit="month")
    with reader.reading() as connection:
        connection.set_trace_callback(ran.append)
    with reader.snapshot() as snapshot:
        snapshot.spent(limit, SEPARATOR.join("x" for _ in scope), rig.NOON_S)
    every = [sql for sql in ran if sql.startswith("SELECT")]
    carried = [sql for sql in every if " FROM openings" in sql]
    asked = [sql for sql in every if sql not in carried]
    assert len(asked) == (2 if scope == ("end_user", "target") else 1)
    with reader.reading() as connection:
        connection.set_trace_callback(None)
        plans = [
            [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + one)] for one in asked
        ]
        [opening] = [
            row[3] for one in carried for row in connection.execute("EXPLAIN QUERY PLAN " + one)
        ]
    reader.close()
    assert "INDEX sqlite_autoindex_openings_1 " in opening
    for plan in plans:
        assert plan[0].startswith("SEARCH"), plan
        assert f"INDEX {index} " in plan[0], plan
