"""Signals: which there are, how one went, and whose requests they are made of."""

from sqlalchemy import Connection, Engine

from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_signals import (
    SeriesList,
    SeriesQuery,
    SignalList,
    SignalView,
    TopList,
    TopsQuery,
)
from tidegate.core import clock
from tidegate.core.engine_signals import ENGINE_SIGNALS
from tidegate.core.series import Series, SignalQuery
from tidegate.core.signal_catalogue import CATALOGUE
from tidegate.core.words import nearest
from tidegate.stores import database, readings, signal_series, signal_tops
from tidegate.stores.errors import AskedTooMuch

_DIMENSIONS = (*signal_series.DIMENSIONS, "replica")
_LEAST_WINDOW_S = 60.0


async def _list(call: Call) -> SignalList:
    found = [SignalView(it.name, it.unit, it.meaning, "receipts") for it in CATALOGUE.values()]
    found += [SignalView(it.name, it.unit, it.text, "engines") for it in ENGINE_SIGNALS.values()]

    def newest(engine: Engine) -> int | None:
        with database.reading(engine) as connection:
            return signal_tops.newest_minute_s(connection)

    return SignalList(found, await call.desk.store(newest))


async def _series(call: Call) -> SeriesList:
    asked: SeriesQuery = call.query
    names, apart = _named(asked.names), _apart(asked.apart)
    query = SignalQuery(names, *_window(asked), only=_only(asked), apart=apart)

    def read(engine: Engine) -> list[Series] | AskedTooMuch:
        with database.reading(engine) as connection:
            return _read(connection, query)

    found = await call.desk.store(read)
    if isinstance(found, AskedTooMuch):
        raise ApiError("invalid_request", f"This is too much for one answer: {found}.")
    return SeriesList(found)


async def _tops(call: Call) -> TopList:
    asked: TopsQuery = call.query
    query = SignalQuery((), *_window(asked), only=_only(asked))

    def read(engine: Engine) -> TopList:
        with database.reading(engine) as connection:
            found = signal_tops.tops(connection, query, asked.by, most=asked.limit)
        return TopList(found.since_s, found.shares)

    return await call.desk.store(read)


ROWS = (
    Row("GET", "/api/signals", "viewer", _list),
    Row("GET", "/api/signals/series", "viewer", _series, query=SeriesQuery),
    Row("GET", "/api/signals/top", "viewer", _tops, query=TopsQuery),
)


def _read(connection: Connection, query: SignalQuery) -> list[Series] | AskedTooMuch:
    try:
        found = signal_series.read(connection, query)
    except AskedTooMuch as error:
        return error
    return found + readings.read(connection, query)


def _named(names: str) -> tuple[str, ...]:
    known = (*CATALOGUE, *ENGINE_SIGNALS)
    asked = tuple(dict.fromkeys(filter(None, names.split(","))))
    for name in asked:
        if name not in known:
            hint = nearest(name, known) or "; GET /api/signals lists them."
            message = f"There is no signal {name[:64]}{hint}"
            raise ApiError("invalid_request", f"{message}", param="names")
    return asked


def _apart(apart: str) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(filter(None, apart.split(","))))
    for name in asked:
        if name not in _DIMENSIONS:
            message = f"Series are told apart by {', '.join(_DIMENSIONS)}, not by {name}."
            raise ApiError("invalid_request", message, param="apart")
    return asked


def _only(asked: SeriesQuery | TopsQuery) -> dict[str, str]:
    given = {name: getattr(asked, name, None) for name in _DIMENSIONS}
    return {name: value for name, value in given.items() if value is not None}


def _window(asked: SeriesQuery | TopsQuery) -> tuple[float, float]:
    until_s = clock.wall_s() if asked.until_s is None else asked.until_s
    return until_s - max(asked.since_s, _LEAST_WINDOW_S), until_s
