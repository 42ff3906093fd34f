"""Whether a metric is judged by units or by requests: by how alike the requests of one unit are."""

from typing import Final

from tidegate.core.harm import HARM
from tidegate.stats import clusters, harm_test
from tidegate.stats.analysis import Analysis, Pairs
from tidegate.stats.level import summed

_NO_PAIRS: Final = Pairs()


def may_be_by_unit(analysis: Analysis) -> bool:
    """Whether units have so many requests that any metric might be judged by units."""
    stable, canary = analysis.stable, analysis.canary
    requests, pairs = stable.assigned + canary.assigned, stable.pairs + canary.pairs
    return clusters.design_effect(requests, pairs, 1.0) >= clusters.LEAST_DESIGN_EFFECT


def is_by_unit(analysis: Analysis, name: str) -> bool:
    """Whether the metric is judged by units: requests of one unit are alike, or may well be."""
    if HARM[name].is_late:
        return _is_late_by_unit(analysis, name)
    if not may_be_by_unit(analysis):
        return False
    stable, canary = analysis.stable, analysis.canary
    requests, pairs = stable.assigned + canary.assigned, stable.pairs + canary.pairs
    most = _most_correlation(analysis, name)
    return clusters.design_effect(requests, pairs, most) >= clusters.LEAST_DESIGN_EFFECT


def _is_late_by_unit(analysis: Analysis, name: str) -> bool:
    known, pairs = analysis.metrics[name], analysis.late.get(name, _NO_PAIRS)
    judged = known.requests.both()
    rate = harm_test.rate_of(judged)
    most = clusters.most_share_correlation(rate, pairs.early, known.bad_pairs)
    effect = clusters.design_effect(int(judged.judged), pairs.all, most)
    return effect >= clusters.LEAST_DESIGN_EFFECT


def _most_correlation(analysis: Analysis, name: str) -> float:
    stable, canary, known = analysis.stable, analysis.canary, analysis.metrics[name]
    if HARM[name].kind != "amount":
        rate = harm_test.rate_of(known.requests.both())
        pairs = stable.early_pairs + canary.early_pairs
        most = clusters.most_share_correlation(rate, pairs, known.bad_pairs)
        if known.body is None:
            return most
        rate = harm_test.rate_of(known.body.requests.both())
        return max(most, clusters.most_share_correlation(rate, pairs, known.body.bad_pairs))
    together = stable.together + canary.together
    if not together:
        return 1.0
    of_units = summed(known.units.stable, known.units.canary)
    inverse_size = (stable.inverse_sizes + canary.inverse_sizes) / together
    return clusters.most_correlation(of_units, known.requests.spread(False) ** 2, inverse_size)
