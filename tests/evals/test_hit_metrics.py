"""The judging of kept answers on `/metrics`."""

from tidegate.evals.hit_metrics import MOST_SERIES, HitCounts
from tidegate.evals.live_metrics import Standing
from tidegate.evals.live_sampling import ServedBy

EXACT = ServedBy("exact", None, None)


def test_each_stratum_is_counted_and_a_route_says_how_it_stands() -> None:
    counts = HitCounts()
    counts.add("faq", EXACT, False, 1_000_000)
    counts.add("faq", EXACT, True, None)
    counts.add("faq", ServedBy("semantic vetoed", None, None), None, 2_000_000)
    text = counts.render([Standing("faq", 5.0, 0.5, 7), Standing("x", None, 0.0, 0)]).decode()
    assert 'tidegate_quality_hits_judged_total{route="faq",stratum="exact"} 2' in text
    assert 'tidegate_quality_hits_bad_total{route="faq",stratum="exact"} 1' in text
    assert 'tidegate_quality_hits_errors_total{route="faq",stratum="semantic vetoed"} 1' in text
    assert 'tidegate_quality_hits_cost_usd_total{route="faq"} 0.003000000' in text
    assert 'tidegate_quality_hits_waiting{route="faq"} 7' in text
    since = "tidegate_quality_hits_unjudged_since_timestamp_seconds"
    assert [it for it in text.splitlines() if it.startswith(since)] == [
        f'{since}{{route="faq"}} 5.000'
    ]


def test_series_are_bounded() -> None:
    counts = HitCounts()
    for number in range(MOST_SERIES + 50):
        counts.add("faq", ServedBy(f"s{number}", None, None), False, 0)
    assert len(counts.judged) == MOST_SERIES + 1
    assert counts.judged["faq", "(others)"] == 50
