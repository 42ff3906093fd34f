"""Captured requests of an incident: those of a route in its time, the bad ones first."""

from typing import Any, Final, Literal

from msgspec import Struct
from sqlalchemy import Connection, case, select

from tidegate.core.capture import Captured
from tidegate.core.notice import Notice
from tidegate.stores.captured_hits import LIVE
from tidegate.stores.captures import captured_of
from tidegate.stores.notices import COLUMNS, notice_of
from tidegate.stores.schema import receipts
from tidegate.stores.schema_captured import captured, feedback
from tidegate.stores.schema_notices import notices

# The gravest first.
Harm = Literal["error", "refusal", "invalid", "thumbs_down", "cut"]
HARMS: Final[tuple[Harm, ...]] = ("error", "refusal", "invalid", "thumbs_down", "cut")
_KEPT: Final = ("valid", "duplicate_terminator")
_HARM: Final = "harm"
_r, _c, _n = receipts.c, captured.c, notices.c


class Hurt(Struct, frozen=True):
    """A captured request, and what was bad about it; None where nothing is known to be."""

    said: Captured
    harm: Harm | None


class Window(Struct, frozen=True):
    """Requests of a route from then on, up to before the end."""

    route: str
    from_s: float
    until_s: float


def notice(connection: Connection, wanted: str) -> Notice | None:
    """The one of this id, or the newest of this key."""
    query = select(*COLUMNS).where((_n.id == wanted) | (_n.key == wanted))
    row = connection.execute(query.order_by(_n.id.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else notice_of(row)


def of_window(
    connection: Connection, window: Window, now_s: float, *, beyond: int = 0, limit: int = 50
) -> list[Hurt]:
    """Those beyond so many, the gravest harm first and of one harm the oldest; without kept
    answers."""
    down = select(feedback.c.receipt_id).where(
        feedback.c.matched, feedback.c.kind == "rating", feedback.c.rating < 0
    )
    harm = case(
        (_r.error_code.is_not(None), HARMS.index("error")),
        (_r.model_refusal.in_(("partial", "full")), HARMS.index("refusal")),
        (_r.validity.not_in(_KEPT), HARMS.index("invalid")),
        (_c.receipt_id.in_(down), HARMS.index("thumbs_down")),
        (_c.cut, HARMS.index("cut")),
        else_=len(HARMS),
    ).label(_HARM)
    query = (
        select(captured, harm)
        .select_from(captured.outerjoin(receipts, _r.id == _c.receipt_id))
        .where(_c.route == window.route, _c.at_s >= window.from_s, _c.at_s < window.until_s)
        .where(_c.until_s > now_s, LIVE)
        .order_by(harm, _c.receipt_id)
        .offset(beyond)
        .limit(limit)
    )
    return [_hurt(dict(row)) for row in connection.execute(query).mappings()]


def _hurt(row: dict[str, Any]) -> Hurt:
    harm: int = row.pop(_HARM)
    return Hurt(captured_of(row), HARMS[harm] if harm < len(HARMS) else None)
