"""Counters, gauges and histograms whose number of series is bounded.

A recorder adds to hundreds of thousands of series a second, so a series is a plain cell that its
user may keep; prometheus_client only writes the text. Beyond a family's bound, values of open
labels (a team, a model, ...) become `other`; closed labels (a token class) keep theirs.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from itertools import accumulate
from typing import Literal

from msgspec import Struct
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

OTHER = "other"
MAX_SERIES = 2000

Labels = tuple[str, ...]
Kind = Literal["counter", "gauge", "histogram"]


class Spec(Struct, frozen=True):
    """One metric: what it is called and means. `unit` is said in the docs and by the name.

    `closed` labels take few values of ours; all others are open. `buckets` are upper bounds.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    labels: Labels
    closed: Collection[str] = ()
    buckets: tuple[float, ...] = ()


class Cell:
    """One series. `counts` holds a histogram's buckets, not accumulated."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1) if bounds else []
        self.total = 0.0

    def add(self, amount: float) -> None:
        self.total += amount

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def copy(self) -> "Cell":
        twin = Cell(())
        twin.counts, twin.total = self.counts.copy(), self.total
        return twin


class FoldedCell(Cell):
    """Stands for a series beyond the bound: adds to the shared one and says that it did."""

    __slots__ = ("_overflowed", "_shared")

    def __init__(self, shared: Cell, overflowed: Cell) -> None:
        super().__init__(())
        self._shared = shared
        self._overflowed = overflowed

    def add(self, amount: float) -> None:
        self._overflowed.add(1)
        self._shared.add(amount)

    def observe(self, value: float) -> None:
        self._overflowed.add(1)
        self._shared.observe(value)


class Family:
    """All series of one metric. `overflowed` counts what went to `other`."""

    def __init__(self, spec: Spec, overflowed: Cell, max_series: int = MAX_SERIES) -> None:
        self.spec = spec
        self.cells: dict[Labels, Cell] = {}
        self._overflowed = overflowed
        self._max_series = max_series
        self._open_at = frozenset(
            at for at, name in enumerate(spec.labels) if name not in spec.closed
        )

    def cell(self, *labels: str) -> Cell:
        """The series of these label values, in the order of `spec.labels`."""
        found = self.cells.get(labels)
        if found is not None:
            return found
        if len(self.cells) < self._max_series or not self._open_at:
            return self._new(labels)
        shared = tuple(OTHER if at in self._open_at else v for at, v in enumerate(labels))
        return FoldedCell(self.cells.get(shared) or self._new(shared), self._overflowed)

    def replace(self, values: dict[Labels, float]) -> None:
        """Make these the only series: for gauges that are read anew each time."""
        self.cells.clear()
        for labels, value in values.items():
            self.cell(*labels).total = value

    def copy(self) -> dict[Labels, Cell]:
        """The series as of now."""
        return {labels: cell.copy() for labels, cell in self.cells.items()}

    def _new(self, labels: Labels) -> Cell:
        cell = self.cells[labels] = Cell(self.spec.buckets)
        return cell


def exposed(spec: Spec, cells: Iterable[tuple[Labels, Cell]]) -> Metric:
    """The metric with these series, as prometheus_client writes it."""
    labels = list(spec.labels)
    if spec.kind == "histogram":
        histogram = HistogramMetricFamily(spec.name, spec.help, labels=labels)
        bounds = [*(repr(float(bound)) for bound in spec.buckets), "+Inf"]
        for values, cell in cells:
            buckets = list(zip(bounds, map(float, accumulate(cell.counts)), strict=True))
            histogram.add_metric(values, buckets=buckets, sum_value=cell.total)
        return histogram
    family: CounterMetricFamily | GaugeMetricFamily
    if spec.kind == "counter":
        family = CounterMetricFamily(spec.name, spec.help, labels=labels)
    else:
        family = GaugeMetricFamily(spec.name, spec.help, labels=labels)
    for values, cell in cells:
        family.add_metric(values, cell.total)
    return family
