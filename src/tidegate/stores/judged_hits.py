"""What was found of kept answers that were given again, or would have been; each once."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Engine, delete, func, select, true

from tidegate.core.assessment import AssessedAs
from tidegate.core.cache import ANSWERED, Tier
from tidegate.core.judged_hit import JudgedHit, score_bin
from tidegate.core.purpose import is_production
from tidegate.stores import captured_hits, database
from tidegate.stores.assessments import Ungraded
from tidegate.stores.captured_hits import HIT, Stratum
from tidegate.stores.captures import storable
from tidegate.stores.in_parts import delete_in_parts
from tidegate.stores.live_answers import Judged, Kept
from tidegate.stores.schema_captured import captured
from tidegate.stores.schema_judged_hits import captured_hits as counts
from tidegate.stores.schema_judged_hits import judged_hits as table
from tidegate.stores.schema_judged_hits import unjudged
from tidegate.stores.signal_bins import HOUR_S

_AT_ONCE: Final = 500
_h, _n, _c = table.c, counts.c, captured.c


class FoundHits(Struct, frozen=True):
    """What is known of one stratum of a route: `captured` are all that there were to be judged,
    `bad` of the `known` ones were bad, and `unknown` were looked at in vain. `cost_nanousd` is
    without those of which nobody knows the cost (`cost_unknown`)."""

    route: str
    stratum: Stratum
    assessed_as: AssessedAs
    captured: int
    known: int
    bad: int
    unknown: int
    cost_nanousd: int
    cost_unknown: int


class JudgedPair(Struct, frozen=True):
    """Two questions, of which a judge has said whether they ask the same; `decides`: it was
    calibrated then. `score`, `veto` and `compared_by` are as in `core.judged_hit.JudgedHit`."""

    score: float
    compared_by: str | None
    is_same: bool
    veto: str | None
    decides: bool
    given: bool
    at_s: float


def store(connection: Connection, several: Iterable[JudgedHit]) -> None:
    """Keep them; of what is found twice of a request in one way the first stands."""
    rows = [_row(it) for it in several]
    for at in range(0, len(rows), _AT_ONCE):
        statement = database.upsert(connection, table).on_conflict_do_nothing()
        connection.execute(statement, rows[at : at + _AT_ONCE])


def judged_hits(connection: Connection, route: str, since_s: float) -> list[JudgedHit]:
    """What judges found of kept answers of requests since, the oldest first. What would have been
    given is among them (`given` false), and what a veto held back (`veto`)."""
    query = select(table).where(
        _h.route == route, _h.started_at_s >= since_s, _h.assessed_as == "quality"
    )
    query = query.order_by(_h.started_at_s, _h.receipt_id)
    return [_hit(row) for row in connection.execute(query).mappings()]


def judged(connection: Connection, route: str, since_s: float) -> list[Judged]:
    """What judges found since, of whichever requests, in no order."""
    columns = (_h.receipt_id, _h.at_s, _h.started_at_s, _h.cost_nanousd, _h.judge)
    query = select(*columns).where(
        _h.route == route, _h.at_s >= since_s, _h.assessed_as == "quality"
    )
    return [Judged(*row) for row in connection.execute(query)]


def kept_after(
    connection: Connection, route: str, after_id: str, limit: int
) -> tuple[list[Kept], str]:
    """Captured requests of users with kept answers in them, as `live_answers.kept_after`; their
    `arm` is the stratum that they are of."""
    columns = (_c.receipt_id, _c.at_s, _c.purpose, _c.key_id, _c.arm)
    how = (_c.cache, _c.cache_tier, _c.cache_score, _c.cache_veto)
    query = select(*columns, *how).where(_c.route == route, _c.receipt_id > after_id, HIT)
    found, last = [], after_id
    for row in connection.execute(query.order_by(_c.receipt_id).limit(limit)):
        last = row.receipt_id
        if row.arm == "shadow" or not is_production(row.purpose, has_key=row.key_id is not None):
            continue
        tier: Tier = "exact" if row.cache_tier is None else row.cache_tier
        given, vetoed = row.cache in ANSWERED, row.cache_veto is not None
        name = stratum_name(Stratum(tier, score_bin(row.cache_score), given, vetoed))
        found.append(Kept(row.receipt_id, row.at_s, name, None, None))
    return found, last


def stratum_name(it: Stratum) -> str:
    """What it is drawn by: of a tier all scores at one share, whether they were given or would have
    been, as a threshold is learnt of them (`judged_pairs`); those that a veto holds back apart."""
    return f"{it.tier} vetoed" if it.vetoed else it.tier


def note_unjudged(connection: Connection, route: str, why: str | None, now_s: float) -> None:
    """Why a route's kept answers are not judged; None: they are. Since when stays meanwhile."""
    if why is None:
        connection.execute(delete(unjudged).where(unjudged.c.route == route))
        return
    statement = database.upsert(connection, unjudged)
    values = {"route": route, "since_s": now_s, "why": storable(why)}
    changed = {"why": statement.excluded.why}
    connection.execute(
        statement.values(values).on_conflict_do_update(index_elements=["route"], set_=changed)
    )


def not_judged(connection: Connection) -> Mapping[str, Ungraded]:
    """By route."""
    rows = connection.execute(select(unjudged))
    return {row.route: Ungraded(row.route, row.since_s, row.why) for row in rows}


def judged_pairs(connection: Connection, route: str, since_s: float) -> list[JudgedPair]:
    """Of the semantic tier, for questions asked since, the oldest first: those of which it is known
    whether both ask the same. What no veto holds back is a plain sample of the captured ones, of
    all scores alike."""
    query = select(_h.score, _h.compared_by, _h.is_same, _h.veto, _h.decides, _h.given, _h.at_s)
    query = query.where(_h.route == route, _h.started_at_s >= since_s)
    query = query.where(_h.assessed_as == "quality", _h.tier == "semantic")
    query = query.where(_h.is_same.is_not(None), _h.score.is_not(None))
    rows = connection.execute(query.order_by(_h.started_at_s, _h.receipt_id))
    return [JudgedPair(*row) for row in rows]


def is_judged(connection: Connection, receipt_id: str) -> bool:
    query = select(_h.receipt_id).where(_h.receipt_id == receipt_id, _h.assessed_as == "quality")
    return connection.execute(query).first() is not None


def found(
    connection: Connection, route: str | None, since_s: float, *, decided: bool = False
) -> list[FoundHits]:
    """By route, stratum and how it was found, of requests since the hour that `since_s` is in. With
    `decided` what a judge said that was not calibrated is unknown; its cost is none the less."""
    since_s = since_s // HOUR_S * HOUR_S
    sizes = captured_hits.counted(connection, route, since_s)
    by = (_h.route, _h.assessed_as, _h.tier, _h.score_bin, _h.given, _h.veto.is_not(None))
    whose = _h.decides if decided else true()
    known, cost = func.count(_h.is_bad).filter(whose), func.count(_h.cost_nanousd)
    query = select(
        *by,
        known,
        func.count().filter(_h.is_bad, whose),
        func.count() - known,
        func.coalesce(func.sum(_h.cost_nanousd), 0),
        func.count() - cost,
    ).where(_h.started_at_s >= since_s)
    if route is not None:
        query = query.where(_h.route == route)
    rows = connection.execute(query.group_by(*by)).all()
    made = []
    for name, as_, *of, n_known, bad, unknown, nanousd, cost_unknown in rows:
        stratum = Stratum(*of)
        size = sizes.pop((name, stratum), 0) if as_ == "quality" else 0
        figures = (n_known, bad, unknown, int(nanousd), cost_unknown)
        made.append(FoundHits(name, stratum, as_, max(size, n_known + unknown), *figures))
    for (name, stratum), size in sizes.items():  # nobody has judged any of them
        made.append(FoundHits(name, stratum, "quality", size, 0, 0, 0, 0, 0))
    return sorted(made, key=_order)


def drop_old(engine: Engine, before_s: float) -> int:
    """Delete those of requests before, in short transactions; how many are gone."""
    some = select(_h.receipt_id).where(_h.started_at_s < before_s).limit(_AT_ONCE)
    part = delete(table).where(_h.receipt_id.in_(some), _h.started_at_s < before_s)
    gone = delete_in_parts(engine, part, _AT_ONCE)
    with database.writing(engine, alone=False) as connection:
        connection.execute(delete(counts).where(_n.hour_s < before_s - HOUR_S))
    return gone


def _order(found: FoundHits) -> tuple[Any, ...]:
    it = found.stratum
    score = -1 if it.score_bin is None else it.score_bin
    return found.route, it.tier, found.assessed_as, not it.given, it.vetoed, score


def _row(made: JudgedHit) -> dict[str, Any]:
    values = {name: storable(value) for name, value in asdict(made).items()}
    return {**values, "score_bin": score_bin(made.score)}


def _hit(row: Mapping[Any, Any]) -> JudgedHit:
    return JudgedHit(**{name: value for name, value in row.items() if name != "score_bin"})
