"""Statements that are compiled once and then run for many rows, as the driver takes them."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.sql import ClauseElement

Row = tuple[Any, ...]


def compiled(
    engine: Engine, statement: ClauseElement, columns: Sequence[str]
) -> Callable[[Connection, list[Row]], int]:
    """Runs a statement for rows of `columns`; returns how many rows it changed.

    Compiled once, and rows go to the driver as they are: that is most of a receipt's cost.
    """
    sql = str(statement.compile(dialect=engine.dialect))
    positional = bool(engine.dialect.positional)

    def run(connection: Connection, rows: list[Row]) -> int:
        parameters: Any = rows
        if not positional:
            parameters = [dict(zip(columns, row, strict=True)) for row in rows]
        return connection.exec_driver_sql(sql, parameters).rowcount

    return run
