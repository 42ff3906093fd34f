"""What an engine's pages say of the time between two of them. Pure.

A counter that fell, or of which a part is gone, has begun anew: what it counted meanwhile nobody
knows, so there is no reading of that time rather than one that is too low.
"""

from tidegate.core.engine_signals import (
    ENGINE_SIGNALS,
    EngineSignal,
    Found,
    Measured,
    Measurements,
    Parts,
    Scrape,
)
from tidegate.core.signal import NoData, Why

# Counters over a longer time say little of its end.
MAX_SPAN_S = 120.0


def measured(before: Scrape | None, now: Scrape, span_s: float) -> Measurements:
    """Every signal of the table, as `now` has it, or from `before` until `now`."""
    old = {} if before is None else before.signals
    return {
        name: _one(signal, old.get(name), now.signals[name], span_s)
        for name, signal in ENGINE_SIGNALS.items()
    }


def nothing(why: Why) -> Measurements:
    """Nothing is known, of no signal."""
    return dict.fromkeys(ENGINE_SIGNALS, NoData(why))


def _one(
    signal: EngineSignal, before: Found | NoData | None, now: Found | NoData, span_s: float
) -> Measured | NoData:
    if isinstance(now, NoData):
        return now
    if signal.kind == "level":
        values = now.parts.values()
        amount = max(values) if signal.together == "greatest" else sum(values)
        return Measured(amount, 1.0, now.alias)
    if not isinstance(before, Found) or before.alias != now.alias:
        return NoData("missing")
    if not 0 < span_s <= MAX_SPAN_S:
        return NoData("too_old")
    amount_up = _increase(before.parts, now.parts)
    weight = span_s if now.per is None else _increase(before.per or {}, now.per)
    if amount_up is None or weight is None:
        return NoData("missing")
    return Measured(amount_up, weight, now.alias)


def _increase(before: Parts, now: Parts) -> float | None:
    """By how much it rose in all; None where a part began anew. A part that is new began at 0."""
    if before.keys() - now.keys() or any(now[part] < was for part, was in before.items()):
        return None
    return sum(now.values()) - sum(before.values())
