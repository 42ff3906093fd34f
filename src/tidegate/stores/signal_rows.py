"""Rows of `signals` as they lie in the database: packed, read back, added up."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, field

from tidegate.core.bin import BY_UNIT, COUNTS, HISTOGRAMS, OTHERS, Bin
from tidegate.stats.histogram import count_upto, merge, quantile, quantile_of_sorted

# How many of a dimension are told by name; the rest are `OTHERS`.
MAX_NAMED: Final = 32
# A column takes no larger figure. No sum of real ones comes near.
_MOST: Final = 2**62

_log = logging.getLogger(__name__)
_pack = msgspec.msgpack.Encoder().encode
# Buckets, ascending, and what each counts: half as long to read as a mapping.
_histogram = msgspec.msgpack.Decoder(tuple[list[int], list[int]]).decode

Histogram = dict[int, int]
_Number = TypeVar("_Number", int, float)


class Detail(Struct, array_like=True):
    """`by` are requests, failures and nano-dollars by team, customer and key, and requests by
    error code. `units` are the number, sum and sum of squares of the means of units, each of ten
    seconds, by `core.bin.BY_UNIT`."""

    by: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    units: dict[str, list[float]] = field(default_factory=dict)


_detail = msgspec.msgpack.Decoder(Detail).decode


class Row(Struct):
    """What a row says, whosever it is."""

    counts: list[int]
    histograms: dict[str, Histogram]
    detail: Detail


def row_of(one: Bin) -> Row:
    """A bin as a row says it."""
    by: dict[str, dict[str, list[int]]] = {}
    for who, sums in one.callers.items():
        for dimension, value in zip(("team", "customer", "key"), who, strict=True):
            if value:
                _add(by.setdefault(dimension, {}).setdefault(value, [0, 0, 0]), sums)
    if one.codes:
        by["error"] = {code: [count, count, 0] for code, count in one.codes.items()}
    units: dict[str, list[float]] = {}
    for sums_of_unit in one.units.values():
        for at, name in enumerate(BY_UNIT):
            count, total = sums_of_unit[2 * at : 2 * at + 2]
            if count:
                mean = total / count
                _add(units.setdefault(name, [0.0, 0.0, 0.0]), (1.0, mean, mean * mean))
    return Row(list(one.counts), one.histograms, Detail(by, units))


def copied(row: Row) -> Row:
    """One that may be added to without changing the other."""
    by = {name: {who: list(it) for who, it in of.items()} for name, of in row.detail.by.items()}
    units = {name: list(sums) for name, sums in row.detail.units.items()}
    histograms = {name: dict(counts) for name, counts in row.histograms.items()}
    return Row(list(row.counts), histograms, Detail(by, units))


def add(into: Row, other: Row) -> None:
    """Add what the other says."""
    _add(into.counts, other.counts)
    for name, histogram in other.histograms.items():
        merge(into.histograms.setdefault(name, {}), histogram)
    for dimension, values in other.detail.by.items():
        there = into.detail.by.setdefault(dimension, {})
        for value, sums in values.items():
            _add(there.setdefault(value, [0, 0, 0]), sums)
    for name, moments in other.detail.units.items():
        _add(into.detail.units.setdefault(name, [0.0, 0.0, 0.0]), moments)


def packed(row: Row) -> tuple[list[int], list[bytes | None]]:
    """The columns of a row: those of `COUNTS`; those of the histograms and of the detail."""
    counts = row.counts
    if max(counts) > _MOST:
        counts = [min(count, _MOST) for count in counts]
    histograms = (row.histograms.get(name) for name in HISTOGRAMS)
    by = {
        dimension: _largest(values) if len(values) > MAX_NAMED else values
        for dimension, values in row.detail.by.items()
    }
    details = [packed_histogram(one) if one else None for one in histograms]
    return counts, [*details, _pack(Detail(by, row.detail.units))]


def unpacked(columns: Sequence[Any]) -> Row:
    """Of all these columns, in this order."""
    upto = len(COUNTS)
    histograms = {}
    for name, payload in zip(HISTOGRAMS, columns[upto:-1], strict=True):
        if payload:
            histograms[name] = histogram_of(payload)
    return Row(list(columns[:upto]), histograms, detail_of(columns[-1]))


def histogram_of(payload: bytes) -> Histogram:
    """A stored histogram. One that cannot be read is told of and counts as none, for what else is
    known is worth more than an error."""
    buckets, counts = _unpacked(payload)
    return dict(zip(buckets, counts, strict=True))


def quantile_of(payloads: Sequence[bytes], share: float) -> float | None:
    """The value that `share` of all that they count do not exceed; None without any."""
    if len(payloads) == 1:
        return quantile_of_sorted(*_unpacked(payloads[0]), share)
    whole: Histogram = {}
    for payload in payloads:
        merge(whole, histogram_of(payload))
    return quantile(whole, share)


def counted_upto(payloads: Sequence[bytes], threshold: float) -> tuple[int, float]:
    """How many values they count together, and how many of these do not exceed the threshold."""
    if len(payloads) == 1:
        buckets, counts = _unpacked(payloads[0])
    else:
        whole: Histogram = {}
        for payload in payloads:
            merge(whole, histogram_of(payload))
        buckets = sorted(whole)
        counts = [whole[bucket] for bucket in buckets]
    return sum(counts), count_upto(buckets, counts, threshold)


def packed_histogram(histogram: Mapping[int, int]) -> bytes:
    """As it is stored."""
    buckets = sorted(histogram)
    return _pack((buckets, [histogram[bucket] for bucket in buckets]))


def _unpacked(payload: bytes) -> tuple[list[int], list[int]]:
    try:
        found = _histogram(payload)
    except msgspec.DecodeError:
        found = ([], [0])
    if len(found[0]) == len(found[1]):
        return found
    _log.error("a stored histogram cannot be read and is left out")
    return [], []


def detail_of(payload: bytes) -> Detail:
    """Stored details; as `histogram_of`."""
    try:
        return _detail(payload)
    except msgspec.DecodeError:
        _log.error("what is stored beside a signal cannot be read and is left out")
        return Detail()


def summed(rows: Sequence[Row], into: Row | None = None) -> Row:
    """All of them in one, of which there is one at least: in `into`, or in a new one."""
    if into is None:
        if len(rows) == 1:
            return rows[0]
        into, rows = copied(rows[0]), rows[1:]
    for row in rows:
        add(into, row)
    return into


def _largest(values: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Those with the most requests, the rest as one."""
    named = sorted(
        (it for it in values.items() if it[0] != OTHERS), key=lambda it: (-it[1][0], it[0])
    )
    kept = dict(named[: MAX_NAMED - 1])
    rest = [0, 0, 0]
    for _, sums in named[MAX_NAMED - 1 :]:
        _add(rest, sums)
    _add(rest, values.get(OTHERS, (0, 0, 0)))
    return {**kept, OTHERS: rest}


def _add(into: list[_Number], values: Iterable[_Number]) -> None:
    for at, value in enumerate(values):
        into[at] += value
