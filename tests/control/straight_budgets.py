"""What a tick works out of objectives, the plain way: every tier of each, as it is written."""

from math import exp, fsum, lgamma, log

from tidegate.controllers import _error_budget_burns as burns
from tidegate.controllers import error_budget
from tidegate.controllers._error_budget_burns import Judged
from tidegate.controllers._error_budget_words import Known, ObjectiveSeen, View
from tidegate.controllers.error_budget import FastBurn
from tidegate.core.block import Tally
from tidegate.stats import burn


def burning(
    period_s: float, target: float, counted: burn.Counted, known_s: float
) -> tuple[burn.Burning, ...]:
    every, found = burn.tiers(period_s), []
    for tier in every:
        if burn.is_counted(counted, target, known_s):
            found.append(burn._by_count(tier, every, counted, target))
        else:
            found.append(by_burn(tier, burn.factor(tier, period_s, target), counted, target))
    return tuple(found)


def by_burn(tier: burn.Tier, above: float, counted: burn.Counted, target: float) -> burn.Burning:
    """Both burns, and how likely so many bad requests are, whatever they come to."""
    long, short, share = counted(tier.long_s), counted(tier.short_s), 1.0 - target
    of_both = [it.bad / (it.judged * share) if it.judged else None for it in (long, short)]
    both = all(it is not None and it > above for it in of_both) and short.bad > 0
    is_page = tier.severity == "page"
    rare = not is_page or burn.chance(long.bad, long.judged * share) < 1e-4
    fires = both and long.bad >= 5 and rare
    if is_page and short.bad >= 4 and of_both[1] is not None and of_both[1] > above:
        one_more = (long.bad + 1) / ((long.judged + 1) * share)
        fires = fires or (one_more > above and tail(short, share) < 1e-7)
    return burn.Burning(tier, above, of_both[0], of_both[1], long.bad, fires)


def tail(seen: Tally, share: float) -> float:
    """So many bad ones or more, each number of them for itself."""
    every, logs = seen.judged, (log(share), log(1.0 - share))
    ways = (
        lgamma(every + 1)
        - lgamma(bad + 1)
        - lgamma(every - bad + 1)
        + bad * logs[0]
        + (every - bad) * logs[1]
        for bad in range(seen.bad, every + 1)
    )
    return fsum(exp(it) for it in ways)


def judge(seen: ObjectiveSeen, view: View, before: Known) -> Judged:
    """Every tier of it, whatever its short windows say."""
    period_s, target = view.budget.period_s, seen.objective.target
    tiers, lit = burning(period_s, target, seen.counted, view.known_of_s(seen)), {}
    for one in tiers:
        at_s = view.now_s // 60 * 60 if one.fires else before.lit.get(one.tier.name)
        if at_s is not None and (one.fires or not burns._is_over(one, view.now_s - at_s)):
            lit[one.tier.name] = min(at_s, view.now_s)
    period = seen.counted(period_s)
    left = burn.remaining(period, target, view.counted_of(seen))
    state, frozen = burns._spent(left, period, view.budget, was_frozen=before.frozen)
    pages = any(one.tier.name in lit for one in tiers if one.tier.severity == "page")
    incident = burns._incident(seen, view, before.incident, tiers[0]) if pages else None
    return Judged(seen, view, Known(lit, frozen, incident), left, state)


def fast_burns(view: View) -> tuple[FastBurn, ...]:
    found = []
    for seen in view.objectives:
        period_s, target = view.budget.period_s, seen.objective.target
        fastest = burning(period_s, target, seen.counted, view.known_of_s(seen))[0]
        if fastest.fires:
            shares = error_budget._shares(seen.canary, seen.counted(fastest.tier.long_s))
            found.append(FastBurn(seen.objective.sli, *shares))
    return tuple(found)
