"""At which of several recorders each unit of a release came first: there it is counted."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection, Engine, delete, select, tuple_

from tidegate.stores import database
from tidegate.stores.in_parts import delete_in_parts
from tidegate.stores.schema_units import unit_homes

# Who comes back after so long is somebody new.
KEPT_S: Final = 14 * 86_400.0
_AT_ONCE: Final = 2000
_MIDDLE: Final = 1 << 63  # places are unsigned, integers of databases are not

_u = unit_homes.c


def claim(
    connection: Connection, rollout: str, node: str, units: Collection[int], now_s: float
) -> Mapping[int, str]:
    """These units are this recorder's, unless another has claimed them: those, each with its
    recorder. The same again however often it is asked."""
    found: dict[int, str] = {}
    # In one order, so that of two recorders neither waits for the other.
    ordered = sorted(unit - _MIDDLE for unit in units)
    for at in range(0, len(ordered), _AT_ONCE):
        some = ordered[at : at + _AT_ONCE]
        rows = [{"rollout": rollout, "unit": it, "node": node, "at_s": now_s} for it in some]
        statement = database.upsert(connection, unit_homes).on_conflict_do_nothing()
        connection.execute(statement, rows)
        others = (_u.rollout == rollout) & _u.unit.in_(some) & (_u.node != node)
        for unit, home in connection.execute(select(_u.unit, _u.node).where(others)):
            found[unit + _MIDDLE] = home
    return found


def drop_old(engine: Engine, now_s: float, *, part_rows: int = 2000) -> int:
    """Delete what is older than it is kept; how many are gone. In short transactions: a release of
    a large product has millions."""
    some = select(_u.rollout, _u.unit).where(_u.at_s < now_s - KEPT_S).limit(part_rows)
    part = delete(unit_homes).where(tuple_(_u.rollout, _u.unit).in_(some))
    return delete_in_parts(engine, part, part_rows)
