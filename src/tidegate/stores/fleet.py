"""Gateways of every machine that shares the database, and what each obeys.

Each machine writes its own. Times are the database's, so that clocks need not agree.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Engine, delete, extract, func, select

from tidegate.core import clock
from tidegate.stores import database
from tidegate.stores.schema_shared import gateways
from tidegate.stores.shared import local_name, name_everywhere

# One that has not been told of for so long may be away; for longer than _GONE_S, it is gone.
QUIET_S = 3.0
_GONE_S = 60.0
_FORGOTTEN_S = 86_400.0
_TELL_AGAIN_S = QUIET_S / 3


class Obeying(Struct, frozen=True):
    """A gateway that runs, the newest entry of the feed that it obeys, and the plan's version.

    `error` says why it refused a newer plan.
    """

    name: str
    seq: int
    plan_version: int | None = None
    error: str | None = None


class Telling:
    """Tells of this machine's gateways what is new, and now and then that they still run."""

    def __init__(self, engine: Engine, node: str) -> None:
        self._engine = engine
        self._node = node
        self._told: list[Obeying] | None = None
        self._told_at_s = 0.0

    def tell(self, running: list[Obeying]) -> None:
        """Asked as often as anything may be new. StoreError."""
        now_s = clock.monotonic_s()
        if running != self._told or now_s - self._told_at_s >= _TELL_AGAIN_S:
            self._told = None
            tell(self._engine, self._node, running)
            self._told, self._told_at_s = running, now_s


def tell(engine: Engine, node: str, running: Iterable[Obeying]) -> None:
    """These are the gateways that run on this machine, and no others. StoreError."""
    rows = [
        {**msgspec.structs.asdict(one), "name": name_everywhere(node, one.name)} for one in running
    ]
    with database.writing(engine, alone=False) as connection:
        for name in connection.execute(select(gateways.c.name)).scalars().all():
            if local_name(node, name) is not None and name not in {row["name"] for row in rows}:
                connection.execute(delete(gateways).where(gateways.c.name == name))
        for row in sorted(rows, key=lambda row: str(row["name"])):
            statement = database.upsert(engine, gateways).values(**row, at_s=_now())
            new = {name: statement.excluded[name] for name in (*row, "at_s") if name != "name"}
            connection.execute(
                statement.on_conflict_do_update(index_elements=[gateways.c.name], set_=new)
            )


def others(engine: Engine, node: str) -> list[tuple[Obeying, bool]]:
    """The gateways of other machines by name, and whether their machine told of them just now.
    StoreError."""
    c = gateways.c
    age_s = (_now() - c.at_s).label("age_s")
    query = select(c.name, c.seq, c.plan_version, c.error, age_s).order_by(c.name)
    with database.reading(engine) as connection:
        rows = connection.execute(query.where(age_s < _GONE_S)).all()
    return [
        (Obeying(*row[:4]), bool(row[4] < QUIET_S))
        for row in rows
        if local_name(node, row[0]) is None
    ]


def forget(engine: Engine) -> None:
    """Drop the gateways of machines that nobody has heard of for a day. StoreError."""
    with database.writing(engine) as connection:
        connection.execute(delete(gateways).where(_now() - gateways.c.at_s > _FORGOTTEN_S))


def behind(engine: Engine, node: str, seq: int) -> list[str]:
    """Gateways of other machines that do not obey `seq`, or may not. StoreError."""
    if not database.is_shared(engine):
        return []
    return [one.name for one, just_now in others(engine, node) if one.seq < seq or not just_now]


def _now() -> ColumnElement[Any]:
    return extract("epoch", func.clock_timestamp())
