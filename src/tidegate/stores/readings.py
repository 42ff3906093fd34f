"""What engines say of themselves: by minute, hour and day, and the newest of each replica.

What is added twice changes no value, only what it weighs, so two who read the same engines while
one takes over from the other do no harm.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, select

from tidegate.core.engine_signals import (
    ENGINE_SIGNALS,
    SCRAPE_S,
    STALE_S,
    EngineSignal,
    Measured,
    Measurements,
)
from tidegate.core.series import Series, SignalQuery, step_of
from tidegate.core.signal import NoData, Signal, Value, Why
from tidegate.stores import database
from tidegate.stores.schema_readings import readings, readings_newest

SPANS_S: Final = (60, 3600, 86_400)
# What is older is told by the next longer span alone.
MINUTES_KEPT_S: Final = 8 * 86_400.0
KEPT_S: Final = 396 * 86_400.0
_GONE_S: Final = 86_400.0
_DIMENSIONS: Final = ("target", "replica")
_KEY: Final = ("span_s", "target", "replica", "start_s")
_AMOUNTS: Final = tuple(c.name for c in readings.columns if c.name not in _KEY)

_Place = tuple[str, str]  # target, replica
# By the step's beginning, of each replica: an amount and a weight for each signal in turn.
_Steps = dict[int, list[list[float]]]


class EngineSample(Struct, frozen=True):
    """What one replica of a target said at a time, whichever `engine` it is."""

    target: str
    replica: str
    engine: str
    at_s: float
    measured: Measurements


class EngineReading(Struct, frozen=True):
    """The newest reading of one signal. `alias` is the name in the engine's words that answered;
    the signal's scope is `target/replica`."""

    target: str
    replica: str
    engine: str
    signal: Signal
    alias: str | None


class _Told(Struct, frozen=True, omit_defaults=True):
    value: float | None = None
    why: Why = "missing"
    alias: str | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, _Told]).decode


def add(connection: Connection, samples: Sequence[EngineSample]) -> None:
    """Add the samples to their minute, hour and day; the newest of each replica is kept whole."""
    rows: dict[tuple[Any, ...], dict[str, float]] = {}
    for sample in samples:
        for span_s in SPANS_S:
            start_s = int(sample.at_s // span_s) * span_s
            key = (span_s, sample.target, sample.replica, start_s)
            row = rows.setdefault(key, dict.fromkeys(_AMOUNTS, 0.0))
            for name, one in sample.measured.items():
                if isinstance(one, Measured):
                    row[f"{name}_amount"] += one.amount
                    row[f"{name}_weight"] += one.weight
    if not rows:
        return
    statement = database.upsert(connection, readings)
    more = statement.on_conflict_do_update(
        index_elements=[readings.c[name] for name in _KEY],
        set_={name: readings.c[name] + statement.excluded[name] for name in _AMOUNTS},
    )
    values = [{**dict(zip(_KEY, key, strict=True)), **row} for key, row in sorted(rows.items())]
    connection.execute(more, values)
    _keep_newest(connection, samples)


def _keep_newest(connection: Connection, samples: Iterable[EngineSample]) -> None:
    newest = {(s.target, s.replica): s for s in sorted(samples, key=lambda s: s.at_s)}
    statement = database.upsert(connection, readings_newest)
    names = ("engine", "at_s", "detail")
    instead = statement.on_conflict_do_update(
        index_elements=list(readings_newest.primary_key.columns),
        set_={name: statement.excluded[name] for name in names},
    )
    values = [
        {
            "target": sample.target,
            "replica": sample.replica,
            "engine": sample.engine,
            "at_s": sample.at_s,
            "detail": _encode({name: _told(one) for name, one in sample.measured.items()}),
        }
        for _, sample in sorted(newest.items())
    ]
    connection.execute(instead, values)


def _told(one: Measured | NoData) -> _Told:
    if isinstance(one, NoData):
        return _Told(why=one.why)
    if isinstance(one.reading, NoData):
        return _Told(why=one.reading.why, alias=one.alias)
    return _Told(one.reading.value, alias=one.alias)


def latest(
    connection: Connection, now_s: float, targets: Collection[str] | None = None
) -> list[EngineReading]:
    """Every signal of each replica as it was said last, of these targets or of all.

    What is older than `STALE_S` is NoData, and so is what comes from the future: a clock was set.
    """
    c = readings_newest.c
    query = select(c.target, c.replica, c.engine, c.at_s, c.detail).order_by(c.target, c.replica)
    if targets is not None:
        query = query.where(c.target.in_(targets))
    return [
        EngineReading(
            target, replica, engine, _signal(name, f"{target}/{replica}", one, age_s), one.alias
        )
        for target, replica, engine, at_s, detail in connection.execute(query)
        for age_s in (now_s - at_s,)
        for name, one in _decode(detail).items()
        if name in ENGINE_SIGNALS
    ]


def _signal(name: str, scope: str, one: _Told, age_s: float) -> Signal:
    known = -STALE_S <= age_s <= STALE_S
    reading: Value | NoData = NoData(one.why) if one.value is None else Value(one.value)
    return Signal(
        name=name,
        unit=ENGINE_SIGNALS[name].unit,
        scope=scope,
        window_s=SCRAPE_S,
        reading=reading if known else NoData("stale"),
        age_s=max(age_s, 0.0),
    )


def read(connection: Connection, query: SignalQuery) -> list[Series]:
    """The engine signals among the query's names. Told apart by `target` and `replica`; of what
    asks for anything else of them (a route, an arm) engines know nothing, and there is no series.

    Several replicas make one figure as the signal's `together` says. A sum of which a part is
    unknown is unknown.
    """
    names = [name for name in query.names if name in ENGINE_SIGNALS]
    if not names or not {*query.only, *query.apart} <= set(_DIMENSIONS):
        return []
    step_s = _step_s(connection, query)
    first_s = int(query.since_s // step_s) * step_s
    apart = [_DIMENSIONS.index(name) for name in query.apart]
    scopes: dict[str, _Steps] = defaultdict(lambda: defaultdict(list))
    steps_of: dict[_Place, _Steps] = {}
    for target, replica, start_s, *sums in _by_step(connection, query, names, step_s):
        place = target, replica
        if place not in steps_of:
            steps_of[place] = scopes["/".join(place[at] for at in apart)]
        steps_of[place][start_s].append(sums)
    starts = range(first_s, max(int(query.until_s), first_s + 1), step_s)
    return [
        Series(name, signal.unit, scope, float(step_s), _points(signal, starts, steps, 2 * at))
        for scope, steps in sorted(scopes.items())
        for at, name in enumerate(names)
        for signal in (ENGINE_SIGNALS[name],)
    ]


def _points(
    signal: EngineSignal, starts: Iterable[int], steps: _Steps, at: int
) -> tuple[tuple[float, float | None], ...]:
    """The signal's figure in each step; its amounts and weights stand at `at` of the sums."""
    points: list[tuple[float, float | None]] = []
    for start_s in starts:
        rows = steps.get(start_s, ())
        if len(rows) == 1 and rows[0][at + 1] > 0:
            points.append((float(start_s), rows[0][at] / rows[0][at + 1]))
        else:
            pairs = [(row[at], row[at + 1]) for row in rows]
            points.append((float(start_s), _together(signal, pairs)))
    return tuple(points)


def _step_s(connection: Connection, query: SignalQuery) -> int:
    """Seconds of a step: at least an hour where minutes are there no more."""
    step_s = step_of(query)
    if step_s >= SPANS_S[1]:
        return step_s
    c = readings.c
    oldest = select(func.min(c.start_s)).where(c.span_s == SPANS_S[0]).scalar_subquery()
    longer = c.span_s == SPANS_S[1]
    within = (c.start_s > query.since_s - SPANS_S[1]) & (c.start_s < query.until_s)
    before = select(c.start_s).where(longer, within, c.start_s < oldest - SPANS_S[1]).limit(1)
    return SPANS_S[1] if connection.execute(before).first() else step_s


def _by_step(
    connection: Connection, query: SignalQuery, names: Sequence[str], step_s: int
) -> Iterable[Any]:
    """Target, replica, the step's beginning, then an amount and a weight for each of `names`."""
    c = readings.c
    span_s = max(span for span in SPANS_S if step_s % span == 0)
    amounts = [c[f"{name}_{part}"] for name in names for part in ("amount", "weight")]
    within = (c.start_s >= int(query.since_s // step_s) * step_s) & (c.start_s < query.until_s)
    only = (c[name] == value for name, value in query.only.items())
    if step_s == span_s:
        asked = select(c.target, c.replica, c.start_s, *amounts)
    else:
        # Grouped by its name: PostgreSQL takes two expressions with parameters for two.
        step = (c.start_s - c.start_s % step_s).label("step")
        sums = (func.sum(amount) for amount in amounts)
        asked = select(c.target, c.replica, step, *sums).group_by(c.target, c.replica, "step")
    return connection.execute(asked.where(c.span_s == span_s, within, *only))


def _together(signal: EngineSignal, pairs: Sequence[tuple[float, float]]) -> float | None:
    """One figure of several replicas' amounts and weights; None where it is not known."""
    known = [(amount, weight) for amount, weight in pairs if weight > 0]
    if not known or (signal.together == "sum" and len(known) < len(pairs)):
        return None
    if signal.together == "pooled":
        return sum(amount for amount, _ in known) / sum(weight for _, weight in known)
    values = [amount / weight for amount, weight in known]
    return max(values) if signal.together == "greatest" else sum(values)


def trim(connection: Connection, now_s: float) -> int:
    """Drop minutes and hours that are past their time, and replicas that said nothing for a day;
    returns how many rows."""
    c = readings.c
    old = (c.start_s < now_s - KEPT_S) | (
        (c.span_s == SPANS_S[0]) & (c.start_s < now_s - MINUTES_KEPT_S)
    )
    gone = connection.execute(delete(readings).where(old)).rowcount
    silent = readings_newest.c.at_s < now_s - _GONE_S
    return gone + connection.execute(delete(readings_newest).where(silent)).rowcount
