"""Assessments: kept once for each request and kind, and counted once in blocks of their release."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Engine, case, delete, func, select, update

from tidegate.core.arm import Arm
from tidegate.core.assessment import AssessedAs, Assessment
from tidegate.stores import database
from tidegate.stores.captures import storable
from tidegate.stores.errors import StoreError
from tidegate.stores.in_parts import delete_in_parts
from tidegate.stores.schema_assessed import assessments, ungraded

_AT_ONCE: Final = 500
_MIDDLE: Final = 1 << 63  # places are unsigned, integers of databases are not

_a, _u = assessments.c, ungraded.c


class Ungraded(Struct, frozen=True):
    """A route whose answers should be graded and are not."""

    route: str
    since_s: float
    why: str


class Assessed(Struct, frozen=True):
    """How answers of one route, arm and prompt version were found: `bad` of `known`, and `unknown`
    that were looked at in vain."""

    route: str | None
    arm: str | None
    prompt_version: str | None
    assessed_as: str
    known: int
    bad: int
    unknown: int


class Marked(StoreError):
    """Some of them were marked before, or are not there any more."""


class OfRelease(Struct, frozen=True):
    """Assessments of one kind and release, of whose requests some began between two times."""

    rollout: str
    assessed_as: AssessedAs
    began_s: float
    ended_s: float


def store(connection: Connection, several: Iterable[Assessment]) -> None:
    """Keep them; of what is found twice of a request the first stands."""
    rows = [_row(it) for it in several]
    for at in range(0, len(rows), _AT_ONCE):
        statement = database.upsert(connection, assessments).on_conflict_do_nothing()
        connection.execute(statement, rows[at : at + _AT_ONCE])


def waiting(connection: Connection) -> dict[str, tuple[int, int]]:
    """By release, how many no block has counted, and the newest one's number."""
    query = select(_a.rollout, func.count(), func.max(_a.seq)).where(~_a.folded)
    rows = connection.execute(query.group_by(_a.rollout))
    return {rollout: (count, newest) for rollout, count, newest in rows if rollout is not None}


def unfolded(
    connection: Connection, *, rollout: str | None = None, most: int = 5000
) -> list[tuple[int, Assessment]]:
    """Those of releases, or of one, that no block has counted, in the order in which they were
    stored."""
    query = select(assessments).where(~_a.folded).order_by(_a.seq).limit(most)
    if rollout is not None:
        query = query.where(_a.rollout == rollout)
    return [(row["seq"], of_row(row)) for row in connection.execute(query).mappings()]


def note_folded(connection: Connection, numbers: Iterable[int]) -> None:
    """They are in blocks now, or never will be. In the transaction that stores the blocks, which
    has to be undone by Marked."""
    some = list(numbers)
    for at in range(0, len(some), _AT_ONCE):
        part = some[at : at + _AT_ONCE]
        those = update(assessments).where(_a.seq.in_(part), ~_a.folded).values(folded=True)
        if connection.execute(those).rowcount != len(part):
            raise Marked("assessments were counted by another meanwhile, or deleted")


def leave_out(connection: Connection, rollout: str) -> None:
    """None of the release's that waits is ever counted."""
    those = update(assessments).where(_a.rollout == rollout, ~_a.folded)
    connection.execute(those.values(folded=True))


def of_units(
    connection: Connection, whose: OfRelease, units: Iterable[int]
) -> list[tuple[Arm, int, int, int, bool]]:
    """By arm and unit, of how many of its requests it is known and counted, how many of them were
    bad, and whether any began in that time."""
    in_time = (_a.started_at_s >= whose.began_s) & (_a.started_at_s < whose.ended_s)
    bad, then = (func.sum(case((it, 1), else_=0)) for it in (_a.is_bad, in_time))
    query = (
        select(_a.arm, _a.unit, func.count(), bad, then)
        .where(_a.rollout == whose.rollout, _a.assessed_as == whose.assessed_as, _a.folded)
        .where(_a.is_bad.is_not(None), _a.arm.is_not(None))
        .group_by(_a.arm, _a.unit)
    )
    places = [unit - _MIDDLE for unit in units]
    found = []
    for at in range(0, len(places), _AT_ONCE):
        rows = connection.execute(query.where(_a.unit.in_(places[at : at + _AT_ONCE])))
        found += [(row[0], row[1] + _MIDDLE, row[2], row[3], row[4] > 0) for row in rows]
    return found


def counted(
    connection: Connection, *, route: str | None, since_s: float, limit: int = 1000
) -> list[Assessed]:
    """By route, arm, prompt version and kind, of requests since."""
    by = (_a.route, _a.arm, _a.prompt_version, _a.assessed_as)
    bad = func.coalesce(func.sum(case((_a.is_bad, 1), else_=0)), 0)
    known = func.count(_a.is_bad)
    query = select(*by, known, bad, func.count() - known).where(_a.started_at_s >= since_s)
    if route is not None:
        query = query.where(_a.route == route)
    query = query.group_by(*by).order_by(*by).limit(limit)
    return [Assessed(*row) for row in connection.execute(query)]


def note_ungraded(connection: Connection, route: str, why: str | None, now_s: float) -> None:
    """Why a route is not graded; None: it is. Since when stays while it is not."""
    if why is None:
        connection.execute(delete(ungraded).where(_u.route == route))
        return
    statement = database.upsert(connection, ungraded)
    values = {"route": route, "since_s": now_s, "why": storable(why)}
    changed = {"why": statement.excluded.why}
    connection.execute(
        statement.values(values).on_conflict_do_update(index_elements=[_u.route], set_=changed)
    )


def not_graded(connection: Connection) -> Mapping[str, Ungraded]:
    """By route."""
    rows = connection.execute(select(ungraded))
    return {row.route: Ungraded(row.route, row.since_s, row.why) for row in rows}


def drop_old(engine: Engine, before_s: float) -> int:
    """Delete those of requests before, in short transactions; how many are gone."""
    some = select(_a.seq).where(_a.started_at_s < before_s).limit(_AT_ONCE)
    return delete_in_parts(engine, delete(assessments).where(_a.seq.in_(some)), _AT_ONCE)


def _row(made: Assessment) -> dict[str, Any]:
    values = {name: storable(value) for name, value in asdict(made).items()}
    if made.unit is not None:
        values["unit"] = made.unit - _MIDDLE
    return {**values, "folded": made.rollout is None}


def of_row(row: Mapping[Any, Any]) -> Assessment:
    """From all columns of the table."""
    values = {name: value for name, value in row.items() if name not in ("seq", "folded")}
    if values["unit"] is not None:
        values["unit"] += _MIDDLE
    return Assessment(**values)
