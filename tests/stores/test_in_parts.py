"""Much is deleted in transactions of few rows."""

import pytest
from sqlalchemy import Connection, Engine, delete, event, select

from tidegate.stores import database, unit_homes
from tidegate.stores.in_parts import delete_in_parts
from tidegate.stores.schema_units import unit_homes as table


@pytest.mark.parametrize(("rows", "transactions"), [(0, 1), (2, 1), (3, 2), (7, 3)])
def test_all_goes_by_parts_of_so_many_rows(engine: Engine, rows: int, transactions: int) -> None:
    with database.writing(engine, alone=False) as connection:
        unit_homes.claim(connection, "going", "a", range(rows), 0.0)
        unit_homes.claim(connection, "staying", "a", range(5), 0.0)
    ended = []

    def note(connection: Connection) -> None:
        ended.append(connection)

    event.listen(engine, "commit", note)
    some = select(table.c.unit).where(table.c.rollout == "going").limit(3)
    part = delete(table).where(table.c.rollout == "going", table.c.unit.in_(some))
    assert delete_in_parts(engine, part, 3) == rows
    event.remove(engine, "commit", note)
    assert len(ended) == transactions
    with database.reading(engine) as connection:
        assert set(connection.execute(select(table.c.rollout)).scalars()) == {"staying"}
