"""What a tick works out, the plain way: formulas as they are written, nothing kept or left out.
`computed` puts it in place of the quick way."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import exp, log, pi, sqrt
from statistics import NormalDist

import pytest
from tests.control import straight_budgets, straight_signals

from tidegate.control import act, error_budgets, observe
from tidegate.controllers import _release_evidence, error_budget
from tidegate.core.block import Moments
from tidegate.core.change import Change
from tidegate.core.controller import Proposal, Revise, Set, Tell
from tidegate.core.rollout import Rollout
from tidegate.stats import analysis as analysing
from tidegate.stats import burn, harm_test, mean_test, verdict
from tidegate.stats.analysis import Analysis
from tidegate.stats.level import Bounds, Level, summed

EDGE, NORMAL = 1e-9, NormalDist()


@contextmanager
def computed() -> Iterator[None]:
    """While this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysing, "advanced", advanced)
        patch.setattr(analysing, "ratio_broken", ratio_broken)
        patch.setattr(_release_evidence, "kinds", kinds)
        patch.setattr(error_budget, "judge", straight_budgets.judge)
        patch.setattr(burn, "burning", straight_budgets.burning)
        patch.setattr(burn, "fastest", lambda *seen: straight_budgets.burning(*seen)[0])
        patch.setattr(error_budgets, "fast_burns", straight_budgets.fast_burns)
        patch.setattr(act, "_moving", moving)
        patch.setattr(observe, "copies_of", straight_signals.copies_of)
        patch.setattr(observe, "of_each", straight_signals.of_each)
        yield


def advanced(level: Level, stable: Moments, canary: Moments, by: Bounds) -> Level:
    if not stable.count and not canary.count:
        return level
    harm, safe, strata = level.harm, level.safe, level.strata
    n_a, n_b = stable.count, canary.count
    if n_a and n_b:
        judged = level.stable.count + level.canary.count + by.prior.judged
        if by.is_share and judged >= by.least:
            bad = level.stable.total + level.canary.total + by.prior.bad
            rate = (bad + 0.5) / (judged + 1)
            harm = grown(harm, rate, stable, canary)
            safe += growth((rate, bet(rate, by, level, n_a, n_b)), by.margin.points, stable, canary)
        elif by.is_share and n_a + n_b <= 400:
            rate = by.margin.points
            safe += growth((rate, bet(rate, by, level, n_a, n_b)), by.margin.points, stable, canary)
        if by.is_share and level.stable.count >= mean_test.LEAST:
            strata = joined(level, stable, canary, by)
        if not by.is_share and max(level.stable.count, stable.count) >= mean_test.LEAST:
            strata = joined(level, stable, canary, by)
    return Level(summed(level.stable, stable), summed(level.canary, canary), harm, safe, strata)


def grown(
    logs: Sequence[float], rate: float, stable: Moments, canary: Moments
) -> tuple[float, ...]:
    n_a, k_a, n_b, k_b = stable.count, stable.total, canary.count, canary.total
    bad, good = k_a + k_b, n_a + n_b - (k_a + k_b)
    a, b = n_a / (n_a + n_b), n_b / (n_a + n_b)
    found = []
    for before, ratio in zip(logs, harm_test.ODDS_RATIOS, strict=True):
        scale = 1 - rate + rate * ratio
        of_null = bad * log(a * scale + b * ratio), good * log(a * scale + b)
        found.append(before + k_b * log(ratio) + n_a * log(scale) - of_null[0] - of_null[1])
    return tuple(found)


def bet(rate: float, by: Bounds, level: Level, n_a: int, n_b: int) -> float:
    points, alpha = by.margin
    ln_e, canary = level.safe, level.canary.count
    stable_share = n_a / (n_a + n_b) / unevenness(summed(level.stable, level.canary))
    at_margin = min(1 - EDGE, rate + points)
    spread = -NORMAL.inv_cdf(alpha) * sqrt(at_margin * (1 - at_margin))
    spread += NORMAL.inv_cdf(0.95) * sqrt(rate * (1 - rate))
    until = 1.05 * (spread / points) ** 2 / max(EDGE, stable_share)
    while 1.2 * until <= canary:
        until *= 2
    to_come = max(until - canary, 0.05 * until, n_b)
    chance = min(0.999, max(1e-6, exp(min(0.0, ln_e + log(alpha / 1.3)))))
    between = min(1 - EDGE, rate + 0.25 * points)
    deviation = sqrt(between * (1 - between) / stable_share * to_come)
    quantile = NORMAL.inv_cdf(chance)
    density = 1 / sqrt(2 * pi) * exp(-0.5 * quantile * quantile)
    odds = at_margin / (1 - at_margin) * exp(-(density / chance / max(deviation, 1.0)))
    return max(EDGE, odds / (1 + odds))


def growth(rates: tuple[float, float], points: float, stable: Moments, canary: Moments) -> float:
    n_a, k_a, n_b, k_b = stable.count, stable.total, canary.count, canary.total
    x = nearest(rates, points, n_a / (n_a + n_b))
    of_bad = log(rates[0] / x), log(rates[1] / (x + points))
    of_good = log((1 - rates[0]) / (1 - x)), log((1 - rates[1]) / (1 - (x + points)))
    between = stable.total - stable.squares, canary.total - canary.squares
    return (
        k_a * of_bad[0]
        + (n_a - k_a) * of_good[0]
        + k_b * of_bad[1]
        + (n_b - k_b) * of_good[1]
        + between[0] * surplus(rates[0], x)
        + between[1] * surplus(rates[1], x + points)
    )


def surplus(rate: float, of_null: float) -> float:
    odds_ratio = rate * (1 - of_null) / ((1 - rate) * of_null)
    least = min(odds_ratio, 1 / odds_ratio)
    return least - 1 - log(least)


def unevenness(both: Moments) -> float:
    if both.squares >= both.total:
        return 1.0
    of_mean = both.total * both.total / both.count
    return (both.squares - of_mean + 2) / (both.total - of_mean + 2)


def nearest(rates: tuple[float, float], points: float, part: float) -> float:
    """The cell of the derivative's root, by halving."""
    low = max(EDGE, min(rates[0], rates[1] - points))
    high = max(low, min(rates[0], 1 - points - EDGE))
    cell = (high - low) / 2**18

    def rises(x: float) -> bool:
        y = x + points
        of_stable = part * (x - rates[0]) / (x * (1 - x))
        return of_stable + (1 - part) * (y - rates[1]) / (y * (1 - y)) > 0

    left, right = 0, 2**18 - 1
    while left < right:
        middle = (left + right) // 2
        if rises(low + (middle + 1) * cell):
            right = middle
        else:
            left = middle + 1
    return low + (left + 0.5) * cell if cell else low


def joined(level: Level, stable: Moments, canary: Moments, by: Bounds) -> mean_test.Strata:
    if by.is_share:
        rate = harm_test.rate_of(level.both())
        spread, ratio = sqrt(rate * (1 - rate)), 1.0
    else:
        known = level.stable if level.stable.count >= mean_test.LEAST else stable
        spread = sqrt(mean_test.variance(known, mean_test.LEAST_VARIANCE))
        ratio = mean_test.canary_variance(spread * spread, level.canary) / (spread * spread)
    precision = 1 / (1 / stable.count + ratio / canary.count)
    difference = (canary.total / canary.count - stable.total / stable.count) / spread
    before = level.strata
    return mean_test.Strata(
        before.precision + precision,
        before.weighted + precision * difference,
        before.margin + precision * (by.margin.points / spread),
    )


def ratio_broken(analysis: Analysis) -> bool:
    return harm_test.ln_mean(analysis.ratio) >= log(1000.0)


def kinds(analysis: Analysis, rollout: Rollout) -> dict[str, verdict.Kind]:
    return {one.metric: one.verdict for one in verdict.verdicts(analysis, rollout)}


def moving(
    proposals: Sequence[Proposal], held: Sequence[Change]
) -> tuple[Sequence[Proposal], Sequence[Change]]:
    """All of it, unless there is nothing to do but to renew."""
    wanted = {(one.lever, one.scope): one.value for one in proposals if isinstance(one, Set)}
    stands = wanted == {(it.lever, it.scope): it.value for it in held}
    if stands and not any(isinstance(one, Revise | Tell) for one in proposals):
        return (), ()
    return proposals, held
