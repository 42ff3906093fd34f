import re
from pathlib import Path

from prometheus_client.core import Metric
from tests.record.rig import HandClock

import tidegate.gateway
from tidegate.core.feed import Status
from tidegate.record.vitals import KNOWN, MAX_SERIES_A_GATEWAY, STALE_S, Vitals
from tidegate.stores import redis_counters


def by_name(metrics: list[Metric]) -> dict[str, list[tuple[dict[str, str], float]]]:
    return {m.name: [(s.labels, s.value) for s in m.samples] for m in metrics}


def test_readings_are_labelled_by_gateway(hand_clock: HandClock) -> None:
    vitals = Vitals(hand_clock)
    vitals.take("g0", Status({"tidegate_streams_open": 2.0}, {"tidegate_loop_stalls_total": 1.0}))
    vitals.take("g1", Status({"tidegate_streams_open": 5.0}, {}))
    metrics = vitals.collected()
    assert by_name(metrics) == {
        "tidegate_streams_open": [({"gateway": "g0"}, 2.0), ({"gateway": "g1"}, 5.0)],
        "tidegate_loop_stalls": [({"gateway": "g0"}, 1.0)],
    }
    assert {m.name: m.type for m in metrics}["tidegate_loop_stalls"] == "counter"


def test_labels_are_taken_from_the_key(hand_clock: HandClock) -> None:
    vitals = Vitals(hand_clock)
    key = "tidegate_pool_waiting|replica=r0|host=[::1]:80"
    vitals.take("g0", Status({key: 1.0, "tidegate_pool_waiting|replica=a=b|host=": 2.0}, {}))
    ((_, samples),) = by_name(vitals.collected()).items()
    assert ({"gateway": "g0", "replica": "r0", "host": "[::1]:80"}, 1.0) in samples
    assert ({"gateway": "g0", "replica": "a=b", "host": ""}, 2.0) in samples


def test_a_silent_gateway_vanishes(hand_clock: HandClock) -> None:
    vitals = Vitals(hand_clock)
    vitals.take("g0", Status({"tidegate_streams_open": 2.0}, {}))
    hand_clock.now_s += STALE_S
    assert len(vitals.collected()) == 1
    hand_clock.now_s += 0.1
    assert vitals.collected() == []


def test_what_is_no_metric_is_left_out(hand_clock: HandClock) -> None:
    vitals = Vitals(hand_clock)
    odd = ["", "Bad Name", "x|", "x|1a=b", "x|a=1|a=2", "x|gateway=mine", 'x{a="b"}']
    vitals.take("g0", Status(dict.fromkeys(odd, 1.0), {}))
    assert vitals.collected() == []


def test_a_gateway_cannot_flood_the_page(hand_clock: HandClock) -> None:
    vitals = Vitals(hand_clock)
    vitals.take("g0", Status({f"x|n={number}": 1.0 for number in range(9000)}, {}))
    (metric,) = vitals.collected()
    assert len(metric.samples) == MAX_SERIES_A_GATEWAY


def test_gateways_of_two_versions_share_a_metric(hand_clock: HandClock) -> None:
    vitals = Vitals(hand_clock)
    vitals.take("old", Status({"x": 1.0}, {}))
    vitals.take("new", Status({"x|replica=r": 2.0}, {}))
    (metric,) = vitals.collected()
    assert {s.value for s in metric.samples} == {1.0, 2.0}


def test_everything_that_a_gateway_reports_is_known() -> None:
    source = Path(tidegate.gateway.__file__).with_name("vitals.py").read_text()
    source += Path(redis_counters.__file__).read_text()
    reported = set(re.findall(r'"((?:tidegate|process)_[a-z_]+)', source))
    assert reported == set(KNOWN)
