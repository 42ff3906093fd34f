"""Vectors in PostgreSQL with pgvector, in tables of their own, one for each length.

Small partitions are read by a btree and sorted, which is exact; of one that is large the planner
takes the HNSW index, whose scan goes on until enough of the partition is found (pgvector 0.8).
Times are the server's. Written without waiting for its disk: what a crash loses is asked again.
"""

import struct
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Delete,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

from tidegate.core.encoding import Vector
from tidegate.core.secret import Secret
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.postgres_engine import LOCKS, open_engine
from tidegate.stores.remote_vectors import Row

_MAKING: Final = 7  # the lock of whoever makes tables
_STEP_S: Final = 1.0  # no step waits longer, so that a thread comes back
# So many are deleted at once, that it is done in a step.
_SWEPT: Final = 4000
_EXTENSION: Final = text("CREATE EXTENSION IF NOT EXISTS vector")


class _VectorType(UserDefinedType[str]):
    cache_ok = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        return f"vector({self.dimensions})"


def _table(dimensions: int) -> Table:
    name = f"answer_vectors_{dimensions}"
    table = Table(
        name,
        MetaData(),
        Column("route", String, primary_key=True),
        Column("partition", LargeBinary, primary_key=True),
        Column("key", LargeBinary, primary_key=True),
        Column("vector", _VectorType(dimensions), nullable=False),
        Column("question", LargeBinary, nullable=False),
        Column("crc", LargeBinary, nullable=False),
        Column("until", DateTime(timezone=True), nullable=False),
    )
    Index(f"{name}_until", table.c.route, table.c.until)
    Index(
        f"{name}_near",
        table.c.vector,
        postgresql_using="hnsw",
        postgresql_ops={"vector": "vector_cosine_ops"},
    )
    return table


class PgVectors:
    """stores.remote_vectors.Backend."""

    def __init__(self, url: Secret) -> None:
        self._url = url
        self._engine: Engine | None = None
        self._tables: dict[int, Table] = {}

    def search(self, route: str, partition: bytes, vector: Vector, most: int) -> list[Row]:
        table = self._there(len(vector) // 4)
        c = table.c
        distance = c.vector.op("<=>", return_type=_Float())(_written(vector, c.vector.type))
        asked = (
            select(c.key, c.question, c.crc, distance)
            .where(c.route == route, c.partition == partition, c.until > func.now())
            .order_by(distance)
            .limit(most)
        )
        with self._connect() as link:
            link.execute(select(func.set_config("hnsw.iterative_scan", "relaxed_order", False)))
            return [
                Row(bytes(key), _text(question), bytes(crc), 1.0 - away)
                for key, question, crc, away in link.execute(asked)
            ]

    def put(self, route: str, partition: bytes, row: Row, vector: Vector, keep_s: float) -> None:
        table = self._there(len(vector) // 4)
        values = {
            "vector": _written(vector, table.c.vector.type),
            "question": row.question.encode("utf-8", "surrogatepass"),
            "crc": row.crc,
            "until": func.now() + func.make_interval(0, 0, 0, 0, 0, 0, keep_s),
        }
        made = insert(table).values(route=route, partition=partition, key=row.key, **values)
        made = made.on_conflict_do_update(index_elements=["route", "partition", "key"], set_=values)
        with self._connect() as link:
            link.execute(select(func.set_config("synchronous_commit", "off", False)))
            link.execute(made)

    def drop(self, route: str, partition: bytes, key: bytes) -> None:
        with self._connect() as link:
            for table in list(self._tables.values()):
                c = table.c
                link.execute(
                    delete(table).where(c.route == route, c.partition == partition, c.key == key)
                )

    def sweep(self, route: str, most: int) -> int:
        evicted = 0
        with self._connect() as link:
            for table in list(self._tables.values()):
                c = table.c
                link.execute(_first_of(table, c.until <= func.now()))
                last = select(c.until).where(c.route == route).order_by(c.until.desc())
                oldest = last.offset(most).limit(1).scalar_subquery()
                gone = link.execute(_first_of(table, c.route == route, c.until <= oldest))
                evicted += gone.rowcount
        return evicted

    def forget(self) -> None:
        self._tables.clear()

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def _connect(self) -> Connection:
        if self._engine is None:
            self._engine = open_engine(self._url, patience_s=_STEP_S, most=4)
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _there(self, dimensions: int) -> Table:
        """The table, made where it is not. Of gateways that come at once one makes it."""
        table = self._tables.get(dimensions)
        if table is None:
            table = _table(dimensions)
            with self._connect() as link:
                try:
                    link.execute(select(func.pg_advisory_lock(LOCKS, _MAKING)))
                    link.execute(_EXTENSION)
                    table.metadata.create_all(link)
                except DBAPIError as error:
                    raise StoreUnavailable(_explained(error)) from error
                finally:
                    link.execute(select(func.pg_advisory_unlock(LOCKS, _MAKING)))
            self._tables[dimensions] = table
        return table


def _first_of(table: Table, *such: ColumnElement[bool]) -> Delete:
    """Deletes some of them."""
    keys = [table.c.route, table.c.partition, table.c.key]
    return delete(table).where(tuple_(*keys).in_(select(*keys).where(*such).limit(_SWEPT)))


class _Float(UserDefinedType[float]):
    cache_ok = True


def _written(vector: Vector, kind: Any) -> Any:
    numbers = struct.unpack(f"<{len(vector) // 4}f", vector)
    return func.cast(literal(f"[{','.join(map(repr, numbers))}]"), kind)


def _text(question: bytes) -> str:
    return bytes(question).decode("utf-8", "surrogatepass")


def _explained(error: DBAPIError) -> str:
    said = str(error.orig).strip().partition("\n")[0]
    if "extension" in said or "permission" in said:
        return (
            f"{said}: pgvector is needed; install it on the server, and let one who may run "
            "`CREATE EXTENSION vector` in this database"
        )
    return said


plug = PgVectors
