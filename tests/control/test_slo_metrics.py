from prometheus_client.parser import text_string_to_metric_families

from tidegate.control.slo_metrics import render
from tidegate.core.block import Tally


def test_every_objective_is_there_from_nothing_on() -> None:
    text = render({("chat", "ttft"): Tally(9, 2), ('a"b\\', "availability"): Tally()}).decode()
    found = {
        (sample.name, sample.labels["route"], sample.labels["sli"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found == {
        ("tidegate_slo_requests_total", "chat", "ttft"): 9,
        ("tidegate_slo_bad_requests_total", "chat", "ttft"): 2,
        ("tidegate_slo_requests_total", 'a"b\\', "availability"): 0,
        ("tidegate_slo_bad_requests_total", 'a"b\\', "availability"): 0,
    }


def test_no_objectives_are_no_series() -> None:
    assert render({}) == b""
