"""Series of the grading of live answers: bounded, and of what is known."""

from prometheus_client.parser import text_string_to_metric_families

from tidegate.evals.live_metrics import MOST_SERIES, Counts, Standing
from tidegate.evals.live_sampling import ServedBy


def values(text: bytes) -> dict[str, float]:
    families = text_string_to_metric_families(text.decode())
    return {
        f"{it.name}{sorted(it.labels.items())}": it.value for one in families for it in one.samples
    }


def test_what_was_graded_is_counted_by_route_arm_and_version() -> None:
    counts = Counts()
    for is_bad in (True, False, None):
        counts.add("chat", ServedBy("canary", "v2", "m"), is_bad, 500_000_000)
    found = values(counts.render([Standing("chat", 5.0, 0.25, 7), Standing("b", None, 0.0, 0)]))
    whose = "[('arm', 'canary'), ('prompt_version', 'v2'), ('route', 'chat')]"
    assert found[f"tidegate_quality_graded_total{whose}"] == 3
    assert found[f"tidegate_quality_bad_total{whose}"] == 1
    assert found[f"tidegate_quality_errors_total{whose}"] == 1
    assert found["tidegate_quality_cost_usd_total[('route', 'chat')]"] == 1.5
    assert found["tidegate_quality_budget_used[('route', 'chat')]"] == 0.25
    assert found["tidegate_quality_waiting[('route', 'chat')]"] == 7
    since = "tidegate_quality_ungraded_since_timestamp_seconds[('route', '{}')]"
    assert found[since.format("chat")] == 5.0
    assert since.format("b") not in found


def test_versions_without_end_are_others() -> None:
    counts = Counts()
    for number in range(2 * MOST_SERIES):
        counts.add("chat", ServedBy(None, f'v"{number}', None), False, None)
    assert len(counts.graded) == MOST_SERIES + 1
    assert sum(counts.graded.values()) == 2 * MOST_SERIES
    assert len(values(counts.render([]))) == 3 * (MOST_SERIES + 1) + 1


def test_nothing_is_shown_before_anything_is_known() -> None:
    assert Counts().render([]) == b""
