"""Deleting much in short transactions, so that nobody who writes waits long."""

from sqlalchemy import Delete, Engine

from tidegate.stores import database


def delete_in_parts(engine: Engine, part: Delete, part_rows: int) -> int:
    """Runs `part`, which deletes at most so many rows, until it finds fewer; how many are gone."""
    gone = 0
    while True:
        with database.writing(engine, alone=False) as connection:
            count = connection.execute(part).rowcount
        gone += count
        if count < part_rows:
            return gone
