"""Engines on `/metrics`: what is unknown is not there."""

import re
from pathlib import Path

import pytest
from tests.record.test_catalogue import table

from tidegate.core.engine_signals import ENGINE_SIGNALS, Measured
from tidegate.core.signal import NoData
from tidegate.record import engine_metrics
from tidegate.record.engine_metrics import EngineMetrics
from tidegate.record.series import MAX_SERIES, Spec
from tidegate.stores.readings import EngineSample


def sample(replica: str = "a:1", **known: float) -> EngineSample:
    measured = {name: Measured(value, 1.0, f"e:{name}") for name, value in known.items()}
    every = {**dict.fromkeys(ENGINE_SIGNALS, NoData("missing")), **measured}
    return EngineSample("pool", replica, "vllm", 0.0, every)


def lines(metrics: EngineMetrics) -> list[str]:
    text = metrics.render().decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_only_what_is_known_is_there() -> None:
    metrics = EngineMetrics()
    metrics.replace([sample(engine_waiting=0.0)], [("pool", "a:1", True), ("pool", "b:1", False)])
    assert lines(metrics) == [
        'tidegate_engine_up{replica="a:1",target="pool"} 1.0',
        'tidegate_engine_up{replica="b:1",target="pool"} 0.0',
        'tidegate_engine_alias{alias="e:engine_waiting",replica="a:1",signal="engine_waiting",'
        'target="pool"} 1.0',
        'tidegate_engine_waiting{replica="a:1",target="pool"} 0.0',
    ]


def test_a_mean_of_nothing_is_not_there() -> None:
    metrics = EngineMetrics()
    none = sample()
    measured = {**none.measured, "engine_queue_s": Measured(0.0, 0.0, "q")}
    metrics.replace([EngineSample("pool", "a:1", "vllm", 0.0, measured)], [])
    assert lines(metrics) == []


def test_what_is_gone_vanishes() -> None:
    metrics = EngineMetrics()
    metrics.replace([sample(engine_running=3.0)], [("pool", "a:1", True)])
    metrics.replace([], [])
    assert metrics.render() == b""


def test_there_is_a_bound_and_no_other() -> None:
    metrics = EngineMetrics()
    many = [sample(f"r{at}", engine_running=1.0) for at in range(MAX_SERIES + 5)]
    metrics.replace(many, [])
    found = [line for line in lines(metrics) if line.startswith("tidegate_engine_running")]
    assert len(found) == MAX_SERIES
    assert not any("other" in line for line in found)


@pytest.mark.parametrize("spec", engine_metrics.ALL, ids=lambda spec: spec.name)
def test_a_metric_is_named_as_prometheus_asks(spec: Spec) -> None:
    assert re.fullmatch(r"tidegate_engine_[a-z_]*[a-z]", spec.name)
    assert not spec.name.endswith("_total")


def test_the_page_lists_every_metric(repository: Path) -> None:
    page = (repository / "docs" / "engine-readings.md").read_text()
    rows = table(page, "What is read")
    assert list(rows) == list(ENGINE_SIGNALS)
    for name, signal in ENGINE_SIGNALS.items():
        assert rows[name]["unit"] == signal.unit
        assert rows[name]["on `/metrics`"] == f"`{engine_metrics.SPECS[name].name}`"
        assert rows[name]["is"] == signal.text
    beside = table(page, "Beside them on /metrics")
    labels = {name: re.findall(r"\w+", row["labels"]) for name, row in beside.items()}
    assert labels == {
        spec.name: list(spec.labels) for spec in (engine_metrics.UP, engine_metrics.ALIAS)
    }
