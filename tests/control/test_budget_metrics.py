from prometheus_client.parser import text_string_to_metric_families

from tidegate.control.alerting import Ratio
from tidegate.control.budget_metrics import render


def test_the_series_can_be_scraped_whatever_a_scope_is_called() -> None:
    odd = 'team "a\\b"\nc'
    text = render([Ratio("each", odd, 0.5, None), Ratio("all", "everything", 1.25, 2.0)]).decode()
    used, forecast = text_string_to_metric_families(text)
    assert [(s.name, s.labels, s.value) for s in used.samples] == [
        ("tidegate_budget_used_ratio", {"budget": "each", "scope": odd}, 0.5),
        ("tidegate_budget_used_ratio", {"budget": "all", "scope": "everything"}, 1.25),
    ]
    assert [(s.labels["budget"], s.value) for s in forecast.samples] == [("all", 2.0)]


def test_there_are_never_more_than_so_many() -> None:
    text = render([Ratio("b", str(number), 0.1, 0.1) for number in range(3000)]).decode()
    assert text.count("tidegate_budget_used_ratio{") == 2000
