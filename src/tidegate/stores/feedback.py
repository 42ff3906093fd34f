"""Feedback: kept while its receipt may still come, attached where the key made the request.

What is said again replaces what was said before. What is of another key's request is dropped. A
rating that is attached is an assessment of that request as well: the first stands there, as what a
release has counted is counted.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Engine, and_, case, delete, func, or_, select, update

from tidegate.core.assessment import assessment_of
from tidegate.core.deletion import Deletion
from tidegate.core.feedback import Feedback
from tidegate.core.judged_hit import judged_hit
from tidegate.core.receipt import Receipt, decode_payload
from tidegate.stores import assessments, database, judged_hits
from tidegate.stores.captures import noted_deletions, storable
from tidegate.stores.schema import receipts
from tidegate.stores.schema_captured import feedback

# Journals of a machine may be away for so long. What is not matched by then never is.
WAIT_S: Final = 86_400.0
_AT_ONCE: Final = 500
_OF_RECEIPT: Final = ("end_user", "route", "release", "prompt", "prompt_version", "target")

_f, _r = feedback.c, receipts.c
_json: Final = msgspec.json.Encoder().encode
_tags: Final = msgspec.json.Decoder(tuple[str, ...]).decode


class Heard(Struct, frozen=True, omit_defaults=True):
    """One thing that was said of a request, and what served that. Times are wall-clock seconds."""

    receipt_id: str
    key_id: str
    kind: str
    at_s: float
    started_at_s: float
    team: str | None = None
    customer: str | None = None
    end_user: str | None = None
    rating: float | None = None
    comment: str | None = None
    tags: tuple[str, ...] = ()
    route: str | None = None
    release: str | None = None
    arm: str | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    target: str | None = None
    model: str | None = None
    cache_tier: str | None = None


class Rate(Struct, frozen=True):
    """How answers of one route, arm and prompt version were rated, kept ones by the tier that gave
    them (`cache_tier`). `down` of `rated`: nobody knows what the silent ones think."""

    route: str | None
    arm: str | None
    prompt_version: str | None
    rated: int
    down: int
    regenerated: int
    cache_tier: str | None = None


class Which(Struct, frozen=True, omit_defaults=True):
    """Which feedback. None asks for nothing."""

    route: str | None = None
    rated: str | None = None
    since_s: float | None = None


def store(connection: Connection, several: Iterable[Feedback]) -> Counter[str]:
    """Keep what was said; how many were `attached`, are `waiting`, were of a `foreign` key's
    request, or were `deleted`. In a transaction that is alone."""
    counts: Counter[str] = Counter()
    gone = noted_deletions(connection)
    latest = {(it.receipt_id, it.key_id, it.kind): it for it in several}
    said = []
    for it in latest.values():
        if _is_gone(gone, it.at_s, it.customer, None):
            counts["deleted"] += 1
        else:
            said.append(it)
    for at in range(0, len(said), _AT_ONCE):
        some = said[at : at + _AT_ONCE]
        known = _receipts(connection, {it.receipt_id for it in some})
        rows, rated = [], []
        for it in some:
            receipt = known.get(it.receipt_id)
            outcome = "waiting"
            if receipt is not None:
                outcome = _outcome(gone, asdict(it), receipt)
            counts[outcome] += 1
            if outcome in ("waiting", "attached"):
                rows.append(_row(it, receipt))
            if outcome == "attached" and receipt is not None and it.rating is not None:
                rated.append((receipt, it.rating, it.at_s))
        if rows:
            _write(connection, rows)
        _assess(connection, rated)
    return counts


def some_wait(connection: Connection) -> bool:
    """Whether anything is there that is not attached."""
    query = select(_f.receipt_id).where(~_f.matched).limit(1)
    return connection.execute(query).first() is not None


def attach_waiting(connection: Connection, now_s: float) -> Counter[str]:
    """Attach what waits to the receipts that have come, and drop what has waited for too long."""
    counts: Counter[str] = Counter()
    gone = noted_deletions(connection)
    there = select(_r.id).where(_r.id == _f.receipt_id).exists()
    query = select(feedback).where(~_f.matched, there).order_by(_f.at_s).limit(_AT_ONCE)
    rows = connection.execute(query).mappings().all()
    known, rated = _receipts(connection, {row["receipt_id"] for row in rows}), []
    for row in rows:
        receipt = known[row["receipt_id"]]
        this = and_(*(_f[name] == row[name] for name in ("receipt_id", "key_id", "kind")))
        outcome = _outcome(gone, row, receipt)
        counts[outcome] += 1
        if outcome == "attached":
            connection.execute(update(feedback).where(this).values(_attached(receipt)))
            if row["rating"] is not None:
                rated.append((receipt, row["rating"], row["at_s"]))
        else:
            connection.execute(delete(feedback).where(this))
    _assess(connection, rated)
    late = delete(feedback).where(~_f.matched, _f.at_s < now_s - WAIT_S)
    counts["unmatched"] += connection.execute(late).rowcount
    return counts


def complaints(connection: Connection, ids: Collection[str]) -> Mapping[str, float]:
    """When it was first said of which of these that they were bad, or that they were made anew."""
    bad = or_(and_(_f.kind == "rating", _f.rating < 0), _f.kind == "regenerated")
    query = select(_f.receipt_id, func.min(_f.at_s)).where(_f.matched, bad)
    query = query.where(_f.receipt_id.in_(list(ids))).group_by(_f.receipt_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def newest(connection: Connection, which: Which, *, limit: int = 100) -> list[Heard]:
    """What is attached to its receipt, the newest first."""
    query = select(feedback).where(_f.matched, *_conditions(which))
    if which.rated is not None:
        query = query.where(_f.rating < 0 if which.rated == "down" else _f.rating > 0)
    query = query.order_by(_f.at_s.desc(), _f.receipt_id.desc()).limit(limit)
    return [_heard(row) for row in connection.execute(query).mappings()]


def rates(connection: Connection, which: Which, *, limit: int = 1000) -> list[Rate]:
    """By route, arm, prompt version and tier of kept answers, of what was said since."""
    by = (_f.route, _f.arm, _f.prompt_version)
    rated = func.count(_f.rating)
    down = func.coalesce(func.sum(case((_f.rating < 0, 1), else_=0)), 0)
    again = func.coalesce(func.sum(case((_f.kind == "regenerated", 1), else_=0)), 0)
    query = select(*by, rated, down, again, _f.cache_tier)
    query = query.where(_f.matched, *_conditions(which))
    query = query.group_by(*by, _f.cache_tier).order_by(*by, _f.cache_tier).limit(limit)
    return [Rate(*row) for row in connection.execute(query)]


def drop_old(engine: Engine, before_s: float) -> int:
    """Delete what was said before; how much is gone."""
    with database.writing(engine) as connection:
        if not database.is_shared(connection):
            database.overwrite_deleted(connection)
        return connection.execute(delete(feedback).where(_f.at_s < before_s)).rowcount


def _outcome(gone: list[Deletion], said: Mapping[Any, Any], receipt: Mapping[str, Any]) -> str:
    """What becomes of it now that its receipt is there."""
    if receipt["key_id"] != said["key_id"]:
        return "foreign"
    deleted = _is_gone(gone, said["at_s"], said["customer"], receipt["end_user"])
    return "deleted" if deleted else "attached"


def _is_gone(gone: list[Deletion], at_s: float, customer: str | None, end_user: str | None) -> bool:
    return any(it.covers(at_s, customer, end_user) for it in gone)


def _conditions(which: Which) -> list[Any]:
    found: list[Any] = []
    if which.route is not None:
        found.append(_f.route == which.route)
    if which.since_s is not None:
        found.append(_f.at_s >= which.since_s)
    return found


def _receipts(connection: Connection, ids: set[str]) -> Mapping[str, Mapping[str, Any]]:
    names = ("id", "key_id", "started_at_s", "model_served", "model_wanted", "detail")
    columns = [_r[name] for name in (*names, *_OF_RECEIPT)]
    rows = connection.execute(select(*columns).where(_r.id.in_(ids))).mappings()
    return {row["id"]: dict(row) for row in rows}


def _attached(receipt: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: receipt[name] for name in (*_OF_RECEIPT, "started_at_s")}
    found["model"] = receipt["model_served"] or receipt["model_wanted"]
    whole = decode_payload(receipt["detail"])
    found["arm"], found["cache_tier"] = whole.arm, _kept_by(whole)
    return {**found, "matched": True}


def _kept_by(receipt: Receipt) -> str | None:
    """The tier whose kept answer it had."""
    return receipt.cache_tier if receipt.is_kept_answer else None


def _assess(
    connection: Connection, rated: Iterable[tuple[Mapping[str, Any], float, float]]
) -> None:
    """Each rating (receipt, rating, when) of the live answer or of the kept one that it is of.
    `Feedback.regenerated` alone is none: of those who are asked for another answer only the share
    counts that is looked at (`evals.follow_ups`)."""
    live, kept = [], []
    for receipt, rating, at_s in rated:
        whole = decode_payload(receipt["detail"])
        if whole.is_kept_answer:
            kept.append(judged_hit(whole, "thumbs_down", rating < 0, at_s))
        else:
            live.append(assessment_of(whole, "thumbs_down", rating < 0, at_s))
    assessments.store(connection, live)
    judged_hits.store(connection, kept)


def _row(said: Feedback, receipt: Mapping[str, Any] | None) -> dict[str, Any]:
    names = (*_OF_RECEIPT, "started_at_s", "model", "arm", "cache_tier")
    of_receipt = dict.fromkeys(names) if receipt is None else _attached(receipt)
    values = {**asdict(said), "tags": _json(said.tags).decode(), "matched": False, **of_receipt}
    return {name: storable(value) for name, value in values.items()}


def _write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    statement = database.upsert(connection, feedback)
    new = statement.excluded
    key = ("receipt_id", "key_id", "kind")
    values = {c.name: new[c.name] for c in feedback.columns if c.name not in key}
    newer = statement.on_conflict_do_update(
        index_elements=[_f[name] for name in key], set_=values, where=new.at_s >= _f.at_s
    )
    connection.execute(newer, rows)


def _heard(row: Mapping[Any, Any]) -> Heard:
    values = {name: value for name, value in row.items() if name != "matched"}
    values["tags"] = _tags(values["tags"])
    return Heard(**values)
