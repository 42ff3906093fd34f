"""Reading receipts: one, the newest, the worst.

Every query reads a bounded number of rows, so its time does not grow with the ledger: where a
window holds more than `scan_rows`, only the newest of them are looked at and the answer says so.
"""

import contextlib
import math
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, func, select

from tidegate.core.probe import OWN
from tidegate.core.purpose import BATCH_HOLD
from tidegate.core.receipt import Receipt, decode_payload
from tidegate.stores import database
from tidegate.stores.figures import Ranking
from tidegate.stores.schema import receipts

SCAN_ROWS = 200_000
_AT_ONCE = 500

Condition = ColumnElement[bool]

_RANKED_BY = {
    "slowest": receipts.c.total_s,
    "slowest_first_token": receipts.c.ttft_s,
    "dearest": receipts.c.cost_nanousd,
}


class Filter(Struct, frozen=True):
    """Which receipts. None asks for nothing. Times are wall-clock seconds, `until_s` exclusive.
    `of_callers` leaves the gateway's own probes out."""

    since_s: float | None = None
    until_s: float | None = None
    id: str | None = None
    key_id: str | None = None
    route: str | None = None
    team: str | None = None
    customer: str | None = None
    end_user: str | None = None
    rung: str | None = None
    target: str | None = None
    purpose: str | None = None
    session_id: str | None = None
    trace_id: str | None = None
    error_code: str | None = None
    validity: str | None = None
    model_refusal: str | None = None
    failed: bool = False
    of_callers: bool = False


class Cost(Struct, frozen=True):
    """Nano-dollars of one receipt, and who spent them on what."""

    at_s: float
    nanousd: int
    key_id: str | None
    end_user: str | None
    model: str | None


def by_id(engine: Engine, receipt_id: str) -> Receipt | None:
    """One receipt by its id."""
    query = select(receipts.c.detail).where(receipts.c.id == receipt_id)
    with database.reading(engine) as connection:
        payload = connection.execute(query).scalar_one_or_none()
    return None if payload is None else _decoded(engine, payload)


def by_ids(connection: Connection, ids: Collection[str]) -> dict[str, Receipt]:
    """Those that there are, by id; one that cannot be read is left out."""
    found: dict[str, Receipt] = {}
    wanted = sorted(ids)
    for at in range(0, len(wanted), _AT_ONCE):
        some = receipts.c.id.in_(wanted[at : at + _AT_ONCE])
        payloads = connection.execute(select(receipts.c.detail).where(some)).scalars()
        found.update((it.id, it) for it in readable(payloads))
    return found


def readable(payloads: Iterable[bytes]) -> Iterator[Receipt]:
    """Those of them that can be read."""
    for payload in payloads:
        with contextlib.suppress(msgspec.DecodeError):
            yield decode_payload(payload)


def next_of_caller(
    connection: Connection, receipt: Receipt, until_s: float, *, most: int
) -> list[Receipt]:
    """What the same session asked after it, up to then, the first first; without a session the same
    end user, without both nothing."""
    c = receipts.c
    if receipt.session_id is not None:
        same = c.session_id == receipt.session_id
    elif receipt.end_user is not None:
        same = c.end_user == receipt.end_user
    else:
        return []
    within = (c.id > receipt.id, c.id < first_id_at(until_s))
    query = select(c.detail).where(same, *within).order_by(c.id).limit(most)
    return list(readable(connection.execute(query).scalars()))


def recent(
    engine: Engine,
    which: Filter,
    *,
    limit: int = 100,
    before_id: str | None = None,
    scan_rows: int = SCAN_ROWS,
) -> list[Receipt]:
    """Newest first, at most `limit`. To page, pass the last id seen as `before_id`."""
    with database.reading(engine) as connection:
        conditions = _indexed(which, before_id)
        if _plain(which):  # otherwise every row counts, and `limit` is bound enough
            conditions, _ = bounded(connection, which, scan_rows, before_id)
        query = select(receipts.c.detail).where(*conditions)
        query = query.order_by(receipts.c.id.desc()).limit(limit)
        return [_decoded(engine, payload) for payload in connection.execute(query).scalars()]


def newest_seq(engine: Engine) -> int:
    """Where a tail starts: the arrival number of the newest receipt; 0 when there is none."""
    with database.reading(engine) as connection:
        return connection.execute(select(func.max(receipts.c.seq))).scalar() or 0


def arrived_after(
    engine: Engine, seq: int, which: Filter, *, limit: int = 100, scan_rows: int = SCAN_ROWS
) -> tuple[int, list[Receipt]]:
    """Receipts that arrived after `seq`, oldest first, and the number to ask with next."""
    with database.reading(engine) as connection:
        newest = connection.execute(select(func.max(receipts.c.seq))).scalar() or 0
        upto = min(newest, seq + scan_rows)
        query = (
            select(receipts.c.seq, receipts.c.detail)
            .where(receipts.c.seq > seq, receipts.c.seq <= upto)
            .where(*_indexed(which), *_plain(which))
            .order_by(receipts.c.seq)
            .limit(limit)
        )
        rows = connection.execute(query).all()
    found = [_decoded(engine, row[1]) for row in rows]
    return (rows[-1][0] if len(rows) == limit else max(upto, seq)), found


def top(
    engine: Engine,
    ranking: Ranking,
    which: Filter,
    *,
    limit: int = 10,
    scan_rows: int = SCAN_ROWS,
) -> list[Receipt]:
    """The worst of a window by `ranking`; those without the figure are left out."""
    if ranking == "failed":
        only = {"failed": True, "of_callers": which.purpose is None}
        failed = Filter(**{**_asdict(which), **only})
        return recent(engine, failed, limit=limit, scan_rows=scan_rows)
    column = _RANKED_BY[ranking]
    with database.reading(engine) as connection:
        conditions, _ = bounded(connection, which, scan_rows)
        if which.purpose is None:
            conditions.append(asked_by_callers())
        worst = (
            select(receipts.c.seq)
            .where(*conditions, column.is_not(None))
            .order_by(column.desc(), receipts.c.id.desc())
            .limit(limit)
        )
        seqs = list(connection.execute(worst).scalars())
        details = select(receipts.c.seq, receipts.c.detail).where(receipts.c.seq.in_(seqs))
        by_seq = {row[0]: row[1] for row in connection.execute(details)}
    return [_decoded(engine, by_seq[seq]) for seq in seqs]


def page(
    engine: Engine, which: Filter, number: int, size: int, *, scan_rows: int = SCAN_ROWS
) -> tuple[list[Receipt], int]:
    """The receipts of one page, newest first, and how many there are on all, `scan_rows` at most.
    Pages count from 1."""
    with database.reading(engine) as connection:
        conditions, _ = bounded(connection, which, scan_rows)
        count = select(func.count()).select_from(receipts).where(*conditions)
        query = select(receipts.c.detail).where(*conditions).order_by(receipts.c.id.desc())
        query = query.limit(size).offset((number - 1) * size)
        payloads = connection.execute(query).scalars().all()
        total = connection.execute(count).scalar_one()
    return [_decoded(engine, payload) for payload in payloads], total


def costs(engine: Engine, which: Filter, *, scan_rows: int = SCAN_ROWS) -> list[Cost] | None:
    """What each receipt cost, of those whose cost is known. None: more would have to be read."""
    c = receipts.c
    with database.reading(engine) as connection:
        conditions, whole = bounded(connection, which, scan_rows)
        conditions.append(asked_by_callers())
        if not whole:
            return None
        query = select(c.started_at_s, c.cost_nanousd, c.key_id, c.end_user, c.model_wanted)
        found = connection.execute(query.where(*conditions, c.cost_nanousd.is_not(None)))
        return [Cost(*row) for row in found]


def _decoded(engine: Engine, payload: bytes) -> Receipt:
    try:
        return decode_payload(payload)
    except msgspec.DecodeError as error:
        path = database.path_of(engine)
        raise database.corrupt(path, "a receipt that cannot be read") from error


def first_id_at(at_s: float) -> str:
    """The text before which every id made before `at_s` sorts, and no later one."""
    milliseconds = f"{max(math.ceil(at_s * 1000), 0):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}"


def bounded(
    connection: Connection, which: Filter, scan_rows: int, before_id: str | None = None
) -> tuple[list[Condition], bool]:
    """WHERE of a bounded read, and whether the bound left nothing out."""
    conditions = _indexed(which, before_id)
    beyond = (
        select(receipts.c.id)
        .where(*conditions)
        .order_by(receipts.c.id.desc())
        .limit(1)
        .offset(scan_rows)
    )
    floor = connection.execute(beyond).scalar_one_or_none()
    if floor is not None:
        conditions.append(receipts.c.id > floor)
    return conditions + _plain(which), floor is None


def _indexed(which: Filter, before_id: str | None = None) -> list[Condition]:
    conditions: list[Condition] = []
    if before_id is not None:
        conditions.append(receipts.c.id < before_id)
    if which.since_s is not None:
        conditions.append(receipts.c.id >= first_id_at(which.since_s))
    if which.until_s is not None:
        conditions.append(receipts.c.id < first_id_at(which.until_s))
    if which.id is not None:
        conditions.append(receipts.c.id == which.id)
    if which.key_id is not None:
        conditions.append(receipts.c.key_id == which.key_id)
    if which.route is not None:
        conditions.append(receipts.c.route == which.route)
    if which.failed or which.error_code is not None:
        conditions.append(receipts.c.error_code.is_not(None))
    return conditions


def _plain(which: Filter) -> list[Condition]:
    names = (
        *("team", "customer", "end_user", "target", "purpose", "session_id", "trace_id"),
        *("error_code", "validity", "model_refusal", "rung"),
    )
    wanted = ((receipts.c[name], getattr(which, name)) for name in names)
    conditions = [column == value for column, value in wanted if value is not None]
    return [*conditions, asked_by_callers()] if which.of_callers else conditions


def asked_by_callers() -> Condition:
    """The same, and not what batches hold of budgets, which is no request."""
    return of_callers() & (receipts.c.purpose != BATCH_HOLD)


def of_callers() -> Condition:
    """Not the gateway's own requests, which have such a purpose and no key."""
    return ~(receipts.c.key_id.is_(None) & (receipts.c.purpose.in_(OWN)))


def _asdict(which: Filter) -> dict[str, Any]:
    return {name: getattr(which, name) for name in which.__struct_fields__}
