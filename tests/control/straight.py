"""What a tick works out, the plain way: formulas as they are written, nothing kept or left out.
`computed` puts it in place of the quick way."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import exp, log, pi, sqrt
from statistics import NormalDist
from typing import Any

import pytest
from sqlalchemy import Connection, select

from tidegate.control import act, error_budgets, observe
from tidegate.control.sli_windows import Source, Windowed
from tidegate.controllers import _error_budget_burns as burns
from tidegate.controllers import _release_evidence, error_budget
from tidegate.controllers._error_budget_burns import Judged
from tidegate.controllers._error_budget_words import Known, ObjectiveSeen, View
from tidegate.controllers.error_budget import FastBurn
from tidegate.controllers.release import Place, ShadowSeen
from tidegate.core.block import Moments, Tally
from tidegate.core.change import Change
from tidegate.core.controller import Proposal, Revise, Set, Tell
from tidegate.core.objective import Objective, RouteObjectives
from tidegate.core.rollout import Rollout
from tidegate.core.sli import LATENCIES
from tidegate.stats import analysis as analysing
from tidegate.stats import burn, harm_test, mean_test, verdict
from tidegate.stats.analysis import Analysis
from tidegate.stats.histogram import GAMMA, bucket_of, merge
from tidegate.stats.level import Bounds, Level, summed
from tidegate.stores.schema_rollouts import rollouts
from tidegate.stores.schema_signals import signal_details, signal_scopes, signals
from tidegate.stores.signal_bins import together
from tidegate.stores.signal_rows import histogram_of

EDGE, NORMAL = 1e-9, NormalDist()


@contextmanager
def computed() -> Iterator[None]:
    """While this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysing, "advanced", advanced)
        patch.setattr(analysing, "ratio_broken", ratio_broken)
        patch.setattr(_release_evidence, "kinds", kinds)
        patch.setattr(error_budget, "judge", judge)
        patch.setattr(burn, "burning", burning)
        patch.setattr(burn, "fastest", lambda *seen: burning(*seen)[0])
        patch.setattr(error_budgets, "fast_burns", fast_burns)
        patch.setattr(act, "_moving", moving)
        patch.setattr(observe, "_shadows", shadows)
        yield


def advanced(level: Level, stable: Moments, canary: Moments, by: Bounds) -> Level:
    if not stable.count and not canary.count:
        return level
    harm, safe, strata = level.harm, level.safe, level.strata
    n_a, n_b = stable.count, canary.count
    if n_a and n_b:
        judged = level.stable.count + level.canary.count + by.prior.judged
        if by.is_share and judged >= harm_test.LEAST_EARLIER:
            bad = level.stable.total + level.canary.total + by.prior.bad
            rate = (bad + 0.5) / (judged + 1)
            harm = grown(harm, rate, stable, canary)
            at_canary = bet(rate, by, safe, level.canary.count, n_a / (n_a + n_b))
            safe += growth((rate, at_canary), by.margin.points, stable, canary)
        if level.stable.count >= mean_test.LEAST:
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


def bet(rate: float, by: Bounds, ln_e: float, canary: int, stable_share: float) -> float:
    points, alpha = by.margin
    at_margin = min(1 - EDGE, rate + points)
    spread = -NORMAL.inv_cdf(alpha) * sqrt(at_margin * (1 - at_margin))
    spread += NORMAL.inv_cdf(0.95) * sqrt(rate * (1 - rate))
    until = 1.2 * (spread / points) ** 2 / max(EDGE, stable_share)
    while until <= canary:
        until *= 2
    chance = min(0.999, max(1e-6, exp(min(0.0, ln_e + log(alpha / 2.0)))))
    between = min(1 - EDGE, rate + 0.25 * points)
    deviation = sqrt(between * (1 - between) / stable_share * (until - canary))
    quantile = NORMAL.inv_cdf(chance)
    density = 1 / sqrt(2 * pi) * exp(-0.5 * quantile * quantile)
    odds = at_margin / (1 - at_margin) * exp(-(density / chance / max(deviation, 1.0)))
    return max(EDGE, odds / (1 + odds))


def growth(rates: tuple[float, float], points: float, stable: Moments, canary: Moments) -> float:
    n_a, k_a, n_b, k_b = stable.count, stable.total, canary.count, canary.total
    x = nearest(rates, points, n_a / (n_a + n_b))
    return (
        k_a * log(rates[0] / x)
        + (n_a - k_a) * log((1 - rates[0]) / (1 - x))
        + k_b * log(rates[1] / (x + points))
        + (n_b - k_b) * log((1 - rates[1]) / (1 - (x + points)))
    )


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
        spread = sqrt(mean_test.variance(level.stable, mean_test.LEAST_VARIANCE))
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
    return harm_test.ln_e(analysis.ratio) >= log(1000.0)


def kinds(analysis: Analysis, rollout: Rollout) -> dict[str, verdict.Kind]:
    return {one.metric: one.verdict for one in verdict.verdicts(analysis, rollout)}


def burning(
    period_s: float, target: float, counted: burn.Counted, known_s: float
) -> tuple[burn.Burning, ...]:
    every, found = burn.tiers(period_s), []
    for tier in every:
        if burn.is_counted(counted, target, known_s):
            found.append(burn._by_count(tier, every, counted, target))
        else:
            found.append(burn._by_burn(tier, burn.factor(tier, period_s, target), counted, target))
    return tuple(found)


def judge(seen: ObjectiveSeen, view: View, before: Known) -> Judged:
    """Every tier of it, whatever its short windows say."""
    period_s, target = view.budget.period_s, seen.objective.target
    tiers, lit = burning(period_s, target, seen.counted, view.known_s), {}
    for one in tiers:
        at_s = view.now_s // 60 * 60 if one.fires else before.lit.get(one.tier.name)
        if at_s is not None and (one.fires or not burns._is_over(one, view.now_s - at_s)):
            lit[one.tier.name] = min(at_s, view.now_s)
    period = seen.counted(period_s)
    left = burn.remaining(period, target, view.counted)
    state, frozen = burns._spent(left, period, view.budget, was_frozen=before.frozen)
    pages = any(one.tier.name in lit for one in tiers if one.tier.severity == "page")
    incident = burns._incident(seen, view, before.incident, tiers[0]) if pages else None
    return Judged(seen, view, Known(lit, frozen, incident), left, state)


def fast_burns(view: View) -> tuple[FastBurn, ...]:
    found = []
    for seen in view.objectives:
        period_s, target = view.budget.period_s, seen.objective.target
        fastest = burning(period_s, target, seen.counted, view.known_s)[0]
        if fastest.fires:
            shares = error_budget._shares(seen.canary, seen.counted(fastest.tier.long_s))
            found.append(FastBurn(seen.objective.sli, *shares))
    return tuple(found)


def moving(
    proposals: Sequence[Proposal], held: Sequence[Change]
) -> tuple[Sequence[Proposal], Sequence[Change]]:
    """All of it, unless there is nothing to do but to renew."""
    wanted = {(one.lever, one.scope): one.value for one in proposals if isinstance(one, Set)}
    stands = wanted == {(it.lever, it.scope): it.value for it in held}
    if stands and not any(isinstance(one, Revise | Tell) for one in proposals):
        return (), ()
    return proposals, held


def shadows(connection: Connection, known: dict[str, Place]) -> dict[str, ShadowSeen]:
    found = {}
    for name, place in known.items():
        standing = place.standing
        if (standing.back_to if standing.state == "paused" else standing.state) != "shadow":
            continue
        c = rollouts.c
        route, since_s = connection.execute(select(c.route, c.since_s).where(c.id == name)).one()
        mine = [it for it in stored(connection) if (it["route"], it["arm"]) == (route, "shadow")]
        mine = [it for it in mine if it["start_s"] >= int(since_s) - 59]
        found[name] = ShadowSeen(
            *(sum(it[column] for it in mine) for column in ("requests", "failed", "validity_bad"))
        )
    return found


def stored(connection: Connection) -> list[Any]:
    """Every row of a minute."""
    c, scope = signals.c, signal_scopes.c
    histograms = (signal_details.c[f"{name}_histogram"] for name in LATENCIES)
    query = (
        select(signals, scope.route, scope.arm, *histograms)
        .join(signal_scopes, scope.id == c.scope)
        .join(signal_details, together())
        .where(c.span_s == 60)
    )
    return [row._mapping for row in connection.execute(query)]


class StraightWindows:
    """In place of `sli_windows.SliWindows`: each window is added up from every minute."""

    def __init__(self, engine: Any) -> None:
        self.totals: dict[Any, Tally] = {}
        self._engine = engine
        self._declared: tuple[RouteObjectives, ...] = ()
        self._rows: list[Any] = []

    def keep_up(self, _: Source, declared: tuple[RouteObjectives, ...], now_s: float) -> None:
        self._declared = declared
        with self._engine.connect() as connection:
            self._rows = stored(connection)

    def known_s(self, route: str, now_s: float) -> float:
        mine = (it for it in self._rows if it["route"] == route and it["arm"] != "shadow")
        return max(now_s - min((it["start_s"] for it in mine), default=now_s), 0.0)

    def of(self, route: str, now_s: float) -> tuple[Windowed, ...]:
        [mine] = [one for one in self._declared if one.route == route]
        windows = burn.windows_s(mine.budget.period_s)
        found = []
        for objective in mine.objectives:
            by_minute = self._by_minute(route, objective)
            counts = {int(it): _window(by_minute, it, now_s) for it in windows}
            of_canary = {at: it for at, it in by_minute.items() if at[1] == "canary"}
            canary = _window(of_canary, 3600.0, now_s)
            found.append(Windowed(objective, counts, canary if canary.judged else None))
        return tuple(found)

    def _by_minute(self, route: str, objective: Objective) -> dict[tuple[int, str], Tally]:
        slots: dict[tuple[int, str], list[Any]] = {}
        for row in self._rows:
            if row["route"] == route:
                slots.setdefault((row["start_s"], row["arm"]), []).append(row)
        return {slot: _counted(rows, objective) for slot, rows in slots.items()}


def _counted(rows: list[Any], objective: Objective) -> Tally:
    if objective.within_s is None:
        good, bad = (sum(it[f"{objective.sli}_{what}"] for it in rows) for what in ("good", "bad"))
        return Tally(good + bad, bad)
    whole: dict[int, int] = {}
    for row in rows:
        payload = row[f"{objective.sli}_histogram"]
        merge(whole, histogram_of(payload) if payload else {})
    edge = bucket_of(objective.within_s)
    low = GAMMA ** (edge - 1)
    below = float(sum(count for bucket, count in whole.items() if bucket < edge))
    part = min((objective.within_s - low) / (low * (GAMMA - 1.0)), 1.0)
    judged = sum(whole.values())
    return Tally(judged, judged - round(below + whole.get(edge, 0) * part))


def _window(by_minute: dict[tuple[int, str], Tally], window_s: float, now_s: float) -> Tally:
    step_s = 60 if window_s <= 6 * 3600 else 3600
    newest_s = max([now_s, *(at_s for at_s, _ in by_minute)])
    after = newest_s // step_s - -(-window_s // step_s)
    inside = [it for (at_s, _), it in by_minute.items() if at_s // step_s > after]
    return Tally(sum(it.judged for it in inside), sum(it.bad for it in inside))
