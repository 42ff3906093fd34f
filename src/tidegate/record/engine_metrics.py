"""Engines on our own `/metrics`: what is unknown has no series, and is never 0."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from tidegate.core.engine_signals import ENGINE_SIGNALS, EngineSignal, Measured
from tidegate.core.signal import Value
from tidegate.record.series import MAX_SERIES, Cell, Family, Labels, Spec, exposed
from tidegate.stores.readings import EngineSample

_LABELS: Labels = ("target", "replica")
_ENDINGS = {"level": "", "share": "_ratio", "mean": "", "rate": "_per_second"}

UP = Spec(
    "tidegate_engine_up",
    "gauge",
    "0 or 1",
    "Whether the engine's page could be read.",
    _LABELS,
)
ALIAS = Spec(
    "tidegate_engine_alias",
    "gauge",
    "1",
    "By which of its names the engine tells of a signal.",
    (*_LABELS, "signal", "alias"),
)


def _spec(signal: EngineSignal) -> Spec:
    name = signal.name.removesuffix("_s")
    ending = "_seconds" if name != signal.name else _ENDINGS[signal.kind]
    return Spec(f"tidegate_{name}{ending}", "gauge", signal.unit, signal.text, _LABELS)


SPECS: dict[str, Spec] = {name: _spec(signal) for name, signal in ENGINE_SIGNALS.items()}
ALL: tuple[Spec, ...] = (UP, ALIAS, *SPECS.values())


class EngineMetrics(Collector):
    """The engines' series as of the last look. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        folded = Cell(())
        self._families = {spec.name: Family(spec, folded) for spec in ALL}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def replace(self, samples: Sequence[EngineSample], up: Iterable[tuple[str, str, bool]]) -> None:
        """Make these all that is shown."""
        told: dict[str, dict[Labels, float]] = {spec.name: {} for spec in ALL}
        told[UP.name] = {(target, replica): float(is_up) for target, replica, is_up in up}
        for sample in samples:
            for name, one in sample.measured.items():
                if isinstance(one, Measured) and isinstance(one.reading, Value):
                    place = (sample.target, sample.replica)
                    told[SPECS[name].name][place] = one.reading.value
                    told[ALIAS.name][*place, name, one.alias] = 1.0
        with self._lock:
            for name, values in told.items():
                # What is beyond the bound is left out: levels do not add up under `other`.
                self._families[name].replace(dict(islice(values.items(), MAX_SERIES)))

    def render(self) -> bytes:
        """In Prometheus' text form."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            series = [(family.spec, family.copy()) for family in self._families.values()]
        yield from (exposed(spec, cells.items()) for spec, cells in series if cells)
