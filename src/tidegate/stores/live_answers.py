"""What the grading of live answers reads: captured requests that may be graded, what was graded
before, and how many answers there were. Nothing of what was said."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, func, select

from tidegate.core.assessment import AssessedAs, Assessment
from tidegate.core.bin import MINUTE_S
from tidegate.core.capture import Capture
from tidegate.core.conversation_place import conversation_place
from tidegate.core.purpose import is_production
from tidegate.stores.assessments import of_row
from tidegate.stores.captured_hits import LIVE
from tidegate.stores.receipts import first_id_at, readable
from tidegate.stores.schema import receipts
from tidegate.stores.schema_assessed import assessments
from tidegate.stores.schema_captured import captured
from tidegate.stores.schema_signals import signal_scopes, signals
from tidegate.stores.signal_bins import HOUR_S

_a, _c, _r, _s, _o = assessments.c, captured.c, receipts.c, signals.c, signal_scopes.c
_SCAN_ROWS: Final = 2000
_OF_QUALITY = _a.assessed_as == "quality"


class Kept(NamedTuple):
    """A captured request of somebody's use, by what served it."""

    receipt_id: str
    at_s: float
    arm: str | None
    prompt_version: str | None
    model: str | None


class Judged(NamedTuple):
    """One that was graded. Times are wall-clock seconds."""

    receipt_id: str
    at_s: float
    started_at_s: float
    cost_nanousd: int | None
    judge: str


class Found(Struct, frozen=True):
    """What grading found of the answers of a route's arm, prompt version and model: `bad` of
    `known`, and `unknown` that were looked at in vain. What nobody knows the cost of is counted by
    `cost_unknown` and not in `cost_nanousd`. Times are of the requests."""

    route: str
    arm: str | None
    prompt_version: str | None
    model: str | None
    known: int
    bad: int
    unknown: int
    cost_nanousd: int
    cost_unknown: int
    since_s: float
    until_s: float


class Which(Struct, frozen=True, omit_defaults=True):
    """Which assessments. None asks for nothing."""

    route: str | None = None
    assessed_as: AssessedAs | None = None
    arm: str | None = None
    is_bad: bool | None = None
    before_id: str | None = None


class Cell(NamedTuple):
    """The part of a route's answers that one arm's release gave through one target."""

    arm: str
    release: str
    target: str


def kept_after(
    connection: Connection, route: str, after_id: str, limit: int
) -> tuple[list[Kept], str]:
    """Captured requests of the route after this id, in their order, and the last id that was looked
    at; the same id at the end. Those that measure us are left out, and kept answers: no version
    gave them."""
    columns = (_c.receipt_id, _c.at_s, _c.arm, _c.prompt_version, _c.model, _c.purpose, _c.key_id)
    query = select(*columns).where(_c.route == route, _c.receipt_id > after_id, LIVE)
    rows = connection.execute(query.order_by(_c.receipt_id).limit(limit)).all()
    found = [
        Kept(row.receipt_id, row.at_s, row.arm, row.prompt_version, row.model)
        for row in rows
        if row.arm != "shadow" and is_production(row.purpose, has_key=row.key_id is not None)
    ]
    return found, rows[-1].receipt_id if rows else after_id


def first_kept_at(at_s: float) -> str:
    """Before the ids of all requests since then."""
    return first_id_at(at_s)


def judged(connection: Connection, route: str, since_s: float) -> list[Judged]:
    """Quality found since, in no order."""
    columns = (_a.receipt_id, _a.at_s, _a.started_at_s, _a.cost_nanousd, _a.judge)
    query = select(*columns).where(_a.route == route, _a.at_s >= since_s, _OF_QUALITY)
    return [Judged(*row) for row in connection.execute(query)]


def is_judged(connection: Connection, receipt_id: str) -> bool:
    query = select(_a.seq).where(_a.receipt_id == receipt_id, _OF_QUALITY)
    return connection.execute(query).first() is not None


def found(
    connection: Connection, routes: Iterable[str], since_s: float, *, limit: int = 1000
) -> list[Found]:
    """By route, arm, prompt version and model, of requests since."""
    by = (_a.route, _a.arm, _a.prompt_version, _a.model)
    known, cost = func.count(_a.is_bad), func.count(_a.cost_nanousd)
    query = select(
        *by,
        known,
        func.count().filter(_a.is_bad),
        func.count() - known,
        func.coalesce(func.sum(_a.cost_nanousd), 0),
        func.count() - cost,
        func.min(_a.started_at_s),
        func.max(_a.started_at_s),
    ).where(_a.route.in_(list(routes)), _a.started_at_s >= since_s, _OF_QUALITY)
    query = query.group_by(*by).order_by(*by).limit(limit)
    rows: list[list[Any]] = [list(row) for row in connection.execute(query)]
    for row in rows:
        row[7] = int(row[7])  # PostgreSQL's sums of integers are numerics
    return [Found(*row) for row in rows]


def found_by_cell(
    connection: Connection, route: str, since_s: float
) -> dict[Cell, tuple[int, int]]:
    """How many of each part are known, and how many of those are bad, of requests since."""
    by = (_a.arm, _a.release, _r.target)
    query = select(*by, func.count(_a.is_bad), func.count().filter(_a.is_bad))
    query = query.join_from(assessments, receipts, _r.id == _a.receipt_id)
    query = query.where(_a.route == route, _a.started_at_s >= since_s, _OF_QUALITY)
    totals: dict[Cell, tuple[int, int]] = {}
    for arm, release, target, known, bad in connection.execute(query.group_by(*by)):
        cell = Cell(arm or "stable", release or "", target or "")
        before = totals.get(cell, (0, 0))
        totals[cell] = before[0] + known, before[1] + bad
    return totals


def answered_by_cell(connection: Connection, route: str, since_s: float) -> dict[Cell, int]:
    """How many requests of users were answered by each part, in the hours since the one that
    `since_s` is in. Kept answers are no part's: they have no target."""
    query = (
        select(_o.arm, _o.release, _o.target, func.sum(_s.availability_good))
        .join_from(signals, signal_scopes, _o.id == _s.scope)
        .where(_o.route == route, _o.arm != "shadow", _o.target != "", _s.span_s == HOUR_S)
        .where(_s.start_s >= since_s // HOUR_S * HOUR_S)
        .group_by(_o.arm, _o.release, _o.target)
    )
    return {Cell(*row[:3]): int(row[3]) for row in connection.execute(query)}


def answered_since(connection: Connection, route: str, since_s: float) -> int:
    """How many requests of users were answered in the minutes after the one that `since_s` is
    in."""
    query = (
        select(func.coalesce(func.sum(_s.availability_good), 0))
        .join_from(signals, signal_scopes, _o.id == _s.scope)
        .where(_o.route == route, _o.arm != "shadow", _s.span_s == MINUTE_S)
        .where(_s.start_s > since_s)
    )
    return int(connection.execute(query).scalar_one())


def to_be_captured(
    connection: Connection, route: str, capture: Capture, since_s: float, until_s: float
) -> int:
    """How many of the newest answered requests of users that began between the two are those that
    gateways keep. Conversations are kept whole: hundreds of requests in a row may be of one that is
    not."""
    within = (_r.id >= first_id_at(since_s), _r.id < first_id_at(until_s))
    query = select(_r.detail).where(_r.route == route, *within)
    payloads = connection.execute(query.order_by(_r.id.desc()).limit(_SCAN_ROWS)).scalars()
    return sum(
        it.is_production
        and not it.is_kept_answer
        and it.error_code is None
        and it.endpoint in ("chat", "completions")
        and capture.wants(it, conversation_place(it))
        for it in readable(payloads)
    )


def newest(connection: Connection, which: Which, *, limit: int = 100) -> list[Assessment]:
    """By their request's id, the newest first."""
    asked: list[ColumnElement[bool]] = []
    for column, value in (
        (_a.route, which.route),
        (_a.assessed_as, which.assessed_as),
        (_a.arm, which.arm),
        (_a.is_bad, which.is_bad),
    ):
        if value is not None:
            asked.append(column == value)
    if which.before_id is not None:
        asked.append(_a.receipt_id < which.before_id)
    query = select(assessments).where(and_(True, *asked))
    query = query.order_by(_a.receipt_id.desc(), _a.assessed_as).limit(limit)
    return [of_row(row) for row in connection.execute(query).mappings()]
