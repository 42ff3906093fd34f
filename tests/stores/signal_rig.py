"""Bins to store, and what stands there then."""

from collections.abc import Mapping

from sqlalchemy import Engine

from tidegate.core.bin import COUNTS, Bin, BinKey
from tidegate.stores import database
from tidegate.stores.signal_bins import SignalWriter

NOON_S = 1_790_000_040  # the first second of a minute


def key(minute_s: int = NOON_S, **named: str) -> BinKey:
    plain = {"route": "chat", "arm": "stable", "release": "v1", "target": "small"}
    return BinKey(minute_s, **{**plain, **named})


def one(histograms: dict[str, dict[int, int]] | None = None, **counts: int) -> Bin:
    found = Bin(histograms=histograms or {})
    for name, count in {"requests": 1, **counts}.items():
        found.counts[COUNTS.index(name)] = count
    return found


def add(engine: Engine, bins: Mapping[BinKey, Bin], node: str = "", seq: int = 1) -> None:
    """As the recorder of this node does it."""
    with database.writing(engine) as connection:
        SignalWriter(engine, node).add(connection, bins, seq)
