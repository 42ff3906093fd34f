"""What became of notices, as it stands: by notice, by message, by way."""

from collections.abc import Collection
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, select

from tidegate.core.notice import DeliveryState, Notice, Severity
from tidegate.stores.notices import COLUMNS, notice_of
from tidegate.stores.schema_notices import deliveries, notice_ways, notices

_AT_ONCE: Final = 1000

_n, _w, _d = notices.c, notice_ways.c, deliveries.c


class Delivery(Struct, frozen=True):
    """One message on one way. `error` says why the last try, or all of them, came to nothing."""

    id: str
    way: str
    severity: Severity
    ends: str | None
    at_s: float
    due_at_s: float
    tries: int = 0
    state: DeliveryState = "waiting"
    error: str | None = None
    ended_at_s: float | None = None


def of_notices(
    connection: Connection, ids: Collection[str]
) -> dict[str, list[tuple[str, Delivery | None]]]:
    """By notice the ways it goes, each with the message that tells of it if there is one yet."""
    found: dict[str, list[tuple[str, Delivery | None]]] = {}
    for notice_id, way, delivery in fates(connection, ids):
        found.setdefault(notice_id, []).append((way, delivery))
    return found


def told_by(connection: Connection, delivery_id: str) -> list[Notice]:
    """The notices of a message, the oldest first."""
    joined = notices.join(notice_ways, _w.notice == _n.id)
    query = select(*COLUMNS).select_from(joined).where(_w.delivery == delivery_id).order_by(_n.id)
    return [notice_of(row) for row in connection.execute(query).mappings()]


def told_lately(
    connection: Connection, way: str, since_s: float, resolved_since_s: float
) -> list[Notice]:
    """What a way was told since then and still holds, or was resolved since the second time."""
    still = _n.resolved_at_s.is_(None) | (_n.resolved_at_s >= resolved_since_s)
    query = (
        select(*COLUMNS)
        .select_from(notices)
        .join(notice_ways, _w.notice == _n.id)
        .join(deliveries, _d.id == _w.delivery)
        .where(_d.way == way, _d.at_s >= since_s, _d.state == "delivered", still)
        .order_by(_n.id.desc())
        .limit(_AT_ONCE)
    )
    return [notice_of(row) for row in connection.execute(query).mappings()]


def fates(connection: Connection, ids: Collection[str]) -> list[tuple[str, str, Delivery | None]]:
    """Every way that each notice goes, with the message that tells of it there."""
    query = (
        select(_w.notice, _w.way, *deliveries.c)
        .select_from(notice_ways)
        .outerjoin(deliveries, _d.id == _w.delivery)
        .where(_w.notice.in_(ids))
        .order_by(_w.notice, _w.way)
    )
    return [
        (notice_id, way, None if fields[0] is None else Delivery(*fields))
        for notice_id, way, *fields in connection.execute(query)
    ]
