"""Kept answers among what was captured: how many, told apart by how they were found, and whose
question is kept beside another's."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, update

from tidegate.core.cache import ANSWERED, Tier
from tidegate.core.capture import Captured
from tidegate.core.deletion import Deletion
from tidegate.core.judged_hit import score_bin
from tidegate.stores import database
from tidegate.stores.receipts import first_id_at
from tidegate.stores.schema import receipts
from tidegate.stores.schema_captured import captured as table
from tidegate.stores.schema_judged_hits import captured_hits
from tidegate.stores.signal_bins import HOUR_S

_AT_ONCE: Final = 500
_NO_SCORE: Final = -1
_n, _c, _r = captured_hits.c, table.c, receipts.c
_ANSWERED: Final = sorted(it for it in ANSWERED if it is not None)
# Captured requests that were not given a kept answer.
LIVE: Final = or_(_c.cache.is_(None), _c.cache.not_in(_ANSWERED))
# Those with a kept answer that was given, or would have been.
HIT: Final = or_(_c.cache.in_(_ANSWERED), _c.kept.is_not(None))


class Stratum(Struct, frozen=True):
    """Kept answers of one tier that are alike: `score_bin` None where both questions are the same,
    `given` false for what would have been given, `vetoed` for what would not have been."""

    tier: Tier
    score_bin: int | None
    given: bool
    vetoed: bool


def stratum_of(made: Captured) -> Stratum:
    """Of one in which there is a kept answer (`Captured.is_hit`)."""
    return Stratum(
        made.cache_tier or "exact",
        score_bin(made.cache_score),
        given=made.is_kept_answer,
        vetoed=made.cache_veto is not None,
    )


def note(connection: Connection, new: Iterable[Captured]) -> None:
    """Those of them in which there are kept answers are counted; each has to come once."""
    more: Counter[tuple[str, Stratum, int]] = Counter()
    for it in new:
        if it.is_hit:
            more[it.route, stratum_of(it), int(it.at_s // HOUR_S * HOUR_S)] += 1
    if more:
        add(connection, more)


def add(connection: Connection, several: Mapping[tuple[str, Stratum, int], int]) -> None:
    """So many more, by route, stratum and the hour's beginning in wall-clock seconds."""
    statement = database.upsert(connection, captured_hits)
    rows = [
        {
            "route": route,
            "tier": it.tier,
            "hour_s": hour_s,
            "score_bin": _NO_SCORE if it.score_bin is None else it.score_bin,
            "given": it.given,
            "vetoed": it.vetoed,
            "count": count,
        }
        for (route, it, hour_s), count in several.items()
    ]
    keys = [column.name for column in captured_hits.primary_key]
    sums = {"count": _n.count + statement.excluded.count}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=sums), rows)


def counted(
    connection: Connection, route: str | None, since_s: float
) -> dict[tuple[str, Stratum], int]:
    """How many were captured of each route's strata, in the hours since."""
    by = (_n.route, _n.tier, _n.score_bin, _n.given, _n.vetoed)
    query = select(*by, func.sum(_n.count)).where(_n.hour_s >= since_s // HOUR_S * HOUR_S)
    if route is not None:
        query = query.where(_n.route == route)
    return {
        (name, Stratum(tier, None if bin_ == _NO_SCORE else bin_, given, vetoed)): int(count)
        for name, tier, bin_, given, vetoed, count in connection.execute(query.group_by(*by))
    }


def without_deleted(
    connection: Connection, several: Sequence[Captured], gone: Collection[Deletion]
) -> list[Captured]:
    """The same, less kept questions of whom something was deleted: theirs may lie beside another's.
    Where the ledger does not tell whose one is, it is taken to be theirs."""
    asked = {it.cache_from for it in several if it.kept is not None and it.cache_from is not None}
    if not gone or not asked:
        return list(several)
    whose, ids = {}, sorted(asked)
    for at in range(0, len(ids), _AT_ONCE):
        query = select(_r.id, _r.started_at_s, _r.customer, _r.end_user)
        for row in connection.execute(query.where(_r.id.in_(ids[at : at + _AT_ONCE]))):
            whose[row.id] = (row.started_at_s, row.customer, row.end_user)
    return [
        replace(it, kept=None) if it.kept is not None and _is_gone(it, whose, gone) else it
        for it in several
    ]


def _is_gone(
    made: Captured,
    whose: Mapping[str, tuple[float, str | None, str | None]],
    gone: Collection[Deletion],
) -> bool:
    known = whose.get(made.cache_from or "")
    if known is not None:
        return any(it.covers(*known) for it in gone)
    return any((made.cache_from or "") < first_id_at(it.before_s) for it in gone)


def remove(connection: Connection, what: Deletion) -> None:
    """Kept questions and answers of theirs that lie beside what another asked; those too of which
    the ledger does not tell whose they are."""
    others: list[ColumnElement[bool]] = [_r.started_at_s >= what.before_s]
    if what.customer is not None:
        others.append(_r.customer.is_distinct_from(what.customer))
    if what.end_user is not None:
        others.append(_r.end_user.is_distinct_from(what.end_user))
    of_others = exists().where(_r.id == _c.cache_from, or_(*others))
    later = _c.cache_from >= first_id_at(what.before_s)
    theirs = _c.kept.is_not(None) & ~of_others & ~later
    connection.execute(update(table).where(theirs).values(kept=None))
