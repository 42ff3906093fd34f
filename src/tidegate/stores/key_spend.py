"""What keys have spent that bring a budget of their own, in one pass over all of them."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, func, select

from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import PeriodUnit
from tidegate.stores import openings
from tidegate.stores.budget_use import Span
from tidegate.stores.schema import keys, spend
from tidegate.stores.spending import quarter_of

_AT_ONCE = 1000
_limits = msgspec.json.Decoder(KeyLimits).decode

# Of the calendar, or in which it rolls on (seconds): one of the two.
Period = tuple[PeriodUnit | None, float | None]


class KeySpend(Struct, frozen=True):
    """A live key with a budget, and what it has spent of it."""

    key_id: str
    name: str
    team: str
    limits: KeyLimits
    nanousd: int


def periods(connection: Connection, now_s: float, team: str | None = None) -> set[Period]:
    """The periods of all budgets that live keys bring with them, or those of one team's."""
    query = select(keys.c.limits).where(*_live(now_s, team)).distinct()
    rows = connection.execute(query.execution_options(yield_per=_AT_ONCE)).scalars()
    found = (_limits(text) for text in rows)
    return {(it.budget_unit, it.budget_s) for it in found if it.budget_nanousd is not None}


def spent(
    connection: Connection, period: Period, span: Span, team: str | None = None
) -> Iterator[KeySpend]:
    """Every live key with a budget of this period, in the order of ids."""
    inside = and_(
        spend.c.key_id == keys.c.id,
        spend.c.quarter >= quarter_of(span.since_s),
        spend.c.quarter <= quarter_of(span.until_s),
    )
    total = func.sum(spend.c.cost_nanousd + spend.c.most_nanousd)
    before = openings.of_key(keys.c.id, span.since_s, span.until_s)
    query = (
        select(keys.c.id, keys.c.name, keys.c.team, keys.c.limits, total, before)
        .select_from(keys.outerjoin(spend, inside))
        .where(*_live(span.until_s, team))
        .group_by(keys.c.id)
        .order_by(keys.c.id)
    )
    rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
    for key_id, name, of_team, text, nanousd, opening in rows:
        limits = _limits(text)
        if limits.budget_nanousd is not None and (limits.budget_unit, limits.budget_s) == period:
            yield KeySpend(key_id, name, of_team, limits, int(nanousd or 0) + opening)


def _live(now_s: float, team: str | None) -> list[ColumnElement[bool]]:
    c = keys.c
    asked: list[ColumnElement[bool]] = [
        c.limits.is_not(None),
        c.revoked_at_s.is_(None),
        c.expires_at_s.is_(None) | (c.expires_at_s > now_s),
    ]
    return asked if team is None else [*asked, c.team == team]
