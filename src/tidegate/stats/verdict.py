"""What an analysis says of each metric: harm proven, safety proven, neither, or nothing known.

Harm takes E >= 1 / alpha with the metric's part of the allowed error; safety E >= 1 / alpha with
all of it, since every guard has to be safe. A rise that is proven and proven to be below the margin
is no harm: that is what the margin says. Then the effect's whole interval has to be below it too,
since the bets on safety stop once they have won, and a canary that was safe may get worse.
"""

from math import asin, exp, inf, log, pi, sin, sqrt
from typing import Final, Literal

from msgspec import Struct

from tidegate.core.harm import HARM
from tidegate.core.rollout import HarmMetric, Rollout
from tidegate.stats import harm_test, mean_test, safe_test
from tidegate.stats.analysis import Analysis, Known, bounds_of, guards
from tidegate.stats.by_unit import is_by_unit, may_be_by_unit
from tidegate.stats.level import Bounds, Level, bet_on

INTERVAL_ALPHA: Final = 0.05

Kind = Literal["harm", "safe", "undecided", "no_data"]


class Verdict(Struct, frozen=True, omit_defaults=True):
    """`effect` is how much worse the canary is, between `low` and `high` at all times at once: in
    points of a share, or as a ratio of an amount; None where an arm has shown nothing.

    `stable_units` and `canary_units` are what was compared: units where `by_unit`, else requests.
    `needed_units` of the canary are still to come until safety can be expected, if the arms are
    equal and the weight stays; None where there is no telling. An effect below `smallest_effect`
    cannot be seen with those that came. Harm is at `harm_at` of `e_harm`, safety at `safe_at`.
    `apart` is the plain difference of a late share, of which harm may be proven by so few that its
    effect is not known.
    """

    metric: str
    verdict: Kind
    e_harm: float
    e_safe: float
    harm_at: float
    safe_at: float
    effect: float | None
    low: float | None
    high: float | None
    stable_units: int
    canary_units: int
    needed_units: int | None
    smallest_effect: float | None
    by_unit: bool = False
    apart: float | None = None


def kinds(analysis: Analysis, rollout: Rollout) -> dict[str, Kind]:
    """The verdict of each of its metrics without its figures: what each tick decides by."""
    found = guards(rollout)
    parts, ln_safe_at = sum([guard.weight for guard in found]), -log(rollout.safe_alpha)
    said: dict[str, Kind] = {}
    units_may_count = may_be_by_unit(analysis)
    for guard in found:
        name = guard.name
        known = analysis.metrics[name]
        by_unit = (units_may_count or HARM[name].is_late) and is_by_unit(analysis, name)
        level = known.units if by_unit else known.requests
        ln_harm_at = log(parts / guard.weight / rollout.harm_alpha)
        is_share = HARM[name].kind != "amount"
        body = _body_of(known, by_unit)
        logs = level.harm if body is None else level.harm + body.harm
        if is_share and max(logs) < ln_harm_at:  # nor is their mean
            ln_es = -inf, level.safe
        else:
            ln_es = _ln_es(level, is_share, body)
        is_known = bool(known.requests.stable.count and known.requests.canary.count)
        at = ln_harm_at, ln_safe_at
        said[name] = _kind(level, bounds_of(guard, rollout), ln_es, at) if is_known else "no_data"
    return said


def verdicts(analysis: Analysis, rollout: Rollout) -> tuple[Verdict, ...]:
    """Of each of its metrics, in their order."""
    parts = sum(guard.weight for guard in guards(rollout))
    return tuple(
        _verdict(analysis, rollout, guard, parts / guard.weight / rollout.harm_alpha)
        for guard in guards(rollout)
    )


def _verdict(analysis: Analysis, rollout: Rollout, guard: HarmMetric, harm_at: float) -> Verdict:
    by_unit = is_by_unit(analysis, guard.name)
    known = analysis.metrics[guard.name]
    level = known.units if by_unit else known.requests
    bounds = bounds_of(guard, rollout)
    is_share = bounds.is_share
    safe_at = 1 / rollout.safe_alpha
    body = _body_of(known, by_unit)
    ln_harm, ln_safe = _ln_es(level, is_share, body)
    stable, canary = level.stable.count, level.canary.count
    what: Kind = "no_data"
    if known.requests.stable.count and known.requests.canary.count:
        what = _kind(level, bounds, (ln_harm, ln_safe), (log(harm_at), log(safe_at)))
    effect, low, high = _interval(level, is_share)
    return Verdict(
        guard.name,
        what,
        exp(ln_harm),
        exp(ln_safe),
        harm_at,
        safe_at,
        effect,
        low,
        high,
        stable,
        canary,
        _needed(level, bounds, log(safe_at) - ln_safe),
        _smallest(level, is_share, log(harm_at) + (log(2) if body else 0.0)),
        by_unit,
        _apart(level) if HARM[guard.name].is_late else None,
    )


def _apart(level: Level) -> float | None:
    stable, canary = level.stable, level.canary
    if not stable.count or not canary.count:
        return None
    return canary.total / canary.count - stable.total / stable.count


def _kind(level: Level, by: Bounds, ln_es: tuple[float, float], at: tuple[float, float]) -> Kind:
    """Of what both arms have shown: `ln_es` of harm and of safety, and what each is proven at."""
    is_safe = ln_es[1] >= at[1]
    if ln_es[0] >= at[0] and not (is_safe and _is_within(level, by)):
        return "harm"
    return "safe" if is_safe else "undecided"


def _is_within(level: Level, by: Bounds) -> bool:
    """Whether all of the effect's interval is below the margin."""
    high = _interval(level, by.is_share)[2]
    points = by.margin.points
    return high is not None and high <= (points if by.is_share else exp(points))


def _body_of(known: Known, by_unit: bool) -> Level | None:
    body = known.body
    if body is None:
        return None
    return body.units if by_unit else body.requests


def _ln_es(level: Level, is_share: bool, body: Level | None) -> tuple[float, float]:
    """Of harm and of safety. The harm of a latency is the mean of those of its slowest requests and
    of its upper body: an e-value against "the arms are equally fast"."""
    most = harm_test.MOST_LN_E
    if is_share:
        harm = harm_test.ln_e(level.harm)
        if body is not None:
            harm = harm_test.ln_mean((harm, harm_test.ln_e(body.harm)))
        return harm, max(-most, min(most, level.safe))
    if level.canary.count < mean_test.LEAST:
        return 0.0, 0.0
    harm, safe = mean_test.ln_e_harm(level.strata), mean_test.ln_e_safe(level.strata)
    return max(-most, min(most, harm)), max(-most, min(most, safe))


def _interval(level: Level, is_share: bool) -> tuple[float | None, float | None, float | None]:
    strata = level.strata
    if strata.precision <= 0:
        return None, None, None
    spread = level.spread(is_share)
    middle = strata.weighted / strata.precision * spread
    half = mean_test.half_width(strata.precision, INTERVAL_ALPHA) * spread
    if is_share:
        return middle, max(-1.0, middle - half), min(1.0, middle + half)
    return exp(middle), exp(middle - half), exp(middle + half)


def _needed(level: Level, by: Bounds, ln_missing: float) -> int | None:
    """What of the canary is still to come until safety, by the growth to be expected of equal
    arms at the proportions so far."""
    if ln_missing <= 0:
        return 0
    stable, canary = level.stable.count, level.canary.count
    if not stable or not canary:
        return None
    part = stable / (stable + canary)
    if not by.is_share:
        margin = by.margin.points / level.spread(False)
        return _needed_of_mean(level, margin, ln_missing, stable / canary)
    each = safe_test.expected(bet_on(level, by, stable / canary, 1.0), by.margin.points, part)
    return None if each <= 0 else int(ln_missing / each * (1 - part)) + 1


def _needed_of_mean(level: Level, margin: float, ln_missing: float, per: float) -> int:
    """`margin` in standard deviations; `per` of the stable arm come for one of the canary."""
    target = ln_missing + mean_test.ln_e_safe(level.strata)
    precision = level.strata.precision
    least = most = max(1.0, precision)
    while mean_test.ln_e(margin * most, most) < target and most < 1e12:
        most *= 2
    for _ in range(20):
        middle = (least + most) / 2
        if mean_test.ln_e(margin * middle, middle) < target:
            least = middle
        else:
            most = middle
    short = mean_test.LEAST - level.canary.count
    return max(1, short, int((most - precision) * (1 + per) / per) + 1)


def _smallest(level: Level, is_share: bool, ln_harm_at: float) -> float | None:
    """The effect whose expected evidence in what came is just enough: points, or a ratio.

    Of a share by the angle whose sine squared it is: divergence = 2 (difference of angles)^2, less
    what the mixture of odds ratios costs.
    """
    stable, canary = level.stable.count, level.canary.count
    if not stable or not canary:
        return None
    both = stable * canary / (stable + canary)
    if not is_share:
        if canary < mean_test.LEAST:
            return None
        return exp(_smallest_mean(both, ln_harm_at) * level.spread(False))
    rate = harm_test.rate_of(level.both())
    enough = ln_harm_at - log(max(harm_test.PARTS))
    angle = asin(sqrt(rate)) + sqrt(enough / (2 * both))
    return 1 - rate if angle >= pi / 2 else sin(angle) ** 2 - rate


def _smallest_mean(precision: float, ln_harm_at: float) -> float:
    """In standard deviations: where that of one scale is just enough for the mean of all, without
    its one side."""
    enough = ln_harm_at + log(len(mean_test.SCALES))
    found = []
    for scale in mean_test.SCALES:
        t = scale * scale * precision
        found.append(sqrt(2 * (enough + 0.5 * log(1 + t)) * (1 + t) / t / precision))
    return min(found)
