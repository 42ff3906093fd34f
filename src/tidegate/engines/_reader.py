"""Reads a page by a table: for each signal the names it has had, the first that is there wins.

Engines rename their metrics between versions, so one signal has several sources; which of them
answered is told with the number.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct

from tidegate.core.engine_signals import ENGINE_SIGNALS, EngineSignal, Found, Parts, Scrape
from tidegate.core.signal import NoData
from tidegate.engines._page import Labels, NoPage, Samples, lines_of, mark_of, samples_of

# Nothing that an engine counts comes to as much.
_MOST = 1e18


class Source(Struct, frozen=True):
    """Where a signal is found: a metric, of those of its series that have `label`. What a share or
    a mean is out of are the metrics of `per` together."""

    name: str
    per: tuple[str, ...] = ()
    label: tuple[str, str] | None = None


def counter(name: str) -> tuple[Source, ...]:
    """A counter, with the ending that the client library adds in most versions or without."""
    return Source(f"{name}_total"), Source(name)


def share(hits: str, queries: str) -> tuple[Source, ...]:
    """Of two counters, the one in the other."""
    return Source(f"{hits}_total", (f"{queries}_total",)), Source(hits, (queries,))


def mean(histogram: str) -> tuple[Source, ...]:
    """The mean of a histogram or a summary."""
    return (Source(f"{histogram}_sum", (f"{histogram}_count",)),)


class TableReader:
    """An `EngineReader` by a table. Every metric of the engine's own begins with `prefix`.

    `twins` are labels whose values tell apart what counts the same thing again, such as the ranks
    that a tensor is split over: of those the greatest is taken, of all else the sum.
    """

    def __init__(
        self,
        prefix: str,
        sources: Mapping[str, tuple[Source, ...]],
        *,
        path: str = "/metrics",
        twins: Collection[str] = (),
    ) -> None:
        self.path = path
        self._prefix = prefix
        self._sources = dict(sources)
        self._twins = frozenset(twins)
        every = [one for found in sources.values() for one in found]
        self._names = frozenset(name for one in every for name in (one.name, *one.per))

    def read(self, page: bytes) -> Scrape:
        try:
            lines = lines_of(page, self._prefix)
            samples = samples_of(lines, self._names)
        except NoPage:
            return Scrape(dict.fromkeys(ENGINE_SIGNALS, NoData("missing")), 0)
        signals = {name: self._found(one, samples) for name, one in ENGINE_SIGNALS.items()}
        return Scrape(signals, mark_of(lines))

    def _found(self, signal: EngineSignal, samples: Samples) -> Found | NoData:
        for source in self._sources.get(signal.name, ()):
            parts = self._parts(source.name, source.label, samples)
            per = [self._parts(name, None, samples) for name in source.per]
            if parts and all(per):
                return _believed(signal, Found(_alias(source), parts, _beside(source.per, per)))
        return NoData("missing")

    def _parts(self, name: str, label: tuple[str, str] | None, samples: Samples) -> Parts:
        parts: dict[str, float] = {}
        for labels, value in samples.get(name, ()):
            if label is None or labels.get(label[0]) == label[1]:
                part = self._part(labels)
                parts[part] = _of_twins(parts.get(part, value), value)
        return parts

    def _part(self, labels: Labels) -> str:
        return ",".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in self._twins)


def _beside(names: Collection[str], found: Collection[Parts]) -> Parts | None:
    """The parts of several metrics in one, so that each is told from the others."""
    pairs = zip(names, found, strict=True)
    return {f"{name} {k}": v for name, parts in pairs for k, v in parts.items()} or None


def _alias(source: Source) -> str:
    name = source.name.removesuffix("_sum")
    return name if source.label is None else f"{name}{{{source.label[0]}={source.label[1]}}}"


def _is_amount(value: float) -> bool:
    return 0 <= value <= _MOST  # which is false of what is no number


def _of_twins(one: float, other: float) -> float:
    """The greater, unless one of them cannot be: then that one, so that neither is believed."""
    return next((value for value in (one, other) if not _is_amount(value)), max(one, other))


def _believed(signal: EngineSignal, found: Found) -> Found | NoData:
    """The reading, unless one of its numbers is none that can be."""
    values = [*found.parts.values(), *(found.per or {}).values()]
    if not all(map(_is_amount, values)):
        return NoData("not_finite")
    if signal.kind == "level" and signal.most is not None and max(values) > signal.most:
        return NoData("not_finite")
    return found
