import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tidegate.record.series import OTHER, Cell, Family, Spec, exposed

HISTOGRAM = Spec("waited_seconds", "histogram", "seconds", "h", ("who",), (), (0.1, 1.0))


class Shown:
    """A registry's only content."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> list[Metric]:
        return [self._metric]


def text_of(metric: Metric) -> str:
    registry = CollectorRegistry()
    registry.register(Shown(metric))  # type: ignore[arg-type]
    return generate_latest(registry).decode()


def test_a_histogram_reads_as_prometheus_wants_it() -> None:
    family = Family(HISTOGRAM, Cell(()))
    for value in (0.05, 0.1, 0.5, 7.0):
        family.cell("ann").observe(value)
    lines = text_of(exposed(HISTOGRAM, family.cells.items())).splitlines()
    assert lines[2:] == [
        'waited_seconds_bucket{le="0.1",who="ann"} 2.0',
        'waited_seconds_bucket{le="1.0",who="ann"} 3.0',
        'waited_seconds_bucket{le="+Inf",who="ann"} 4.0',
        'waited_seconds_count{who="ann"} 4.0',
        'waited_seconds_sum{who="ann"} 7.65',
    ]


@pytest.mark.parametrize("kind", ["counter", "gauge"])
def test_counters_and_gauges_keep_their_name(kind: str) -> None:
    spec = Spec("things_total", kind, "things", "help", ("who",))  # type: ignore[arg-type]
    family = Family(spec, Cell(()))
    family.cell('o"dd\n').add(2)
    text = text_of(exposed(spec, family.cells.items()))
    (metric,) = text_string_to_metric_families(text)
    assert metric.type == kind
    assert metric.samples[0].name == "things_total"
    assert metric.samples[0].labels == {"who": 'o"dd\n'}
    assert metric.samples[0].value == 2


@given(st.lists(st.floats(0, 5)))
def test_every_value_falls_into_its_bucket(values: list[float]) -> None:
    cell = Cell((0.1, 1.0, 2.5))
    for value in values:
        cell.observe(value)
    bounds = (-math.inf, 0.1, 1.0, 2.5, math.inf)
    for at, count in enumerate(cell.counts):
        assert count == sum(bounds[at] < value <= bounds[at + 1] for value in values)


def test_beyond_the_bound_open_labels_become_other_and_nothing_is_lost() -> None:
    spec = Spec("t_total", "counter", "tokens", "h", ("team", "class"), ("class",))
    overflowed = Cell(())
    family = Family(spec, overflowed, max_series=2)
    for number in range(10):
        family.cell(f"team-{number}", "input").add(1)
        family.cell(f"team-{number}", "output").add(10)
    assert set(family.cells) == {
        *(("team-0", "input"), ("team-0", "output")),
        *((OTHER, "input"), (OTHER, "output")),
    }
    assert family.cells[OTHER, "input"].total == 9
    assert family.cells[OTHER, "output"].total == 90
    assert overflowed.total == 18


def test_a_kept_cell_beyond_the_bound_goes_on_adding_to_other() -> None:
    overflowed = Cell(())
    family = Family(HISTOGRAM, overflowed, max_series=1)
    family.cell("ann").observe(0.5)
    kept = family.cell("bob")
    kept.observe(0.5)
    kept.observe(0.5)
    assert sum(family.cells[OTHER,].counts) == 2
    assert sum(family.cells["ann",].counts) == 1
    assert overflowed.total == 2


def test_a_metric_of_closed_labels_only_is_never_folded() -> None:
    spec = Spec("x_total", "counter", "x", "h", ("kind",), ("kind",))
    family = Family(spec, Cell(()), max_series=1)
    for kind in ("a", "b", "c"):
        family.cell(kind).add(1)
    assert len(family.cells) == 3


def test_replacing_forgets_what_is_not_there_any_more() -> None:
    spec = Spec("lag", "gauge", "s", "h", ("gateway",))
    family = Family(spec, Cell(()))
    family.replace({("g0",): 1.0, ("g1",): 2.0})
    family.replace({("g1",): 3.0})
    assert {labels: cell.total for labels, cell in family.cells.items()} == {("g1",): 3.0}
