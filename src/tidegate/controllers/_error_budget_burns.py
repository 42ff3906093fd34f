"""One objective: which of its tiers fire, what is left of its budget, what an incident costs."""

from typing import Final

from msgspec import Struct

from tidegate.controllers._error_budget_words import (
    UNKNOWN,
    Incident,
    Known,
    ObjectiveSeen,
    View,
)
from tidegate.core.block import Tally
from tidegate.core.objective import ErrorBudget, State
from tidegate.stats import burn
from tidegate.stats.burn import LEAST_BAD, Burning, Severity

# So long an alert stays after it was last seen to fire, which is remembered by the minute.
LATCH_S: Final = 600.0
_MINUTE_S: Final = 60.0


class Judged(Struct, frozen=True):
    """One objective of a view now. `left` is the part of its budget that is left, None where
    nothing is known; `state` what that alone asks for."""

    seen: ObjectiveSeen
    view: View
    known: Known
    left: float | None
    state: State

    @property
    def tiers(self) -> tuple[Burning, ...]:
        """All of them, the fastest first."""
        return burning(self.seen, self.view)

    @property
    def fastest(self) -> Burning:
        seen, view = self.seen, self.view
        period_s, target = view.budget.period_s, seen.objective.target
        return burn.fastest(period_s, target, seen.counted, view.known_of_s(seen))

    def lit(self, severity: Severity) -> tuple[Burning, ...]:
        """The tiers of the severity that fire, or have within the latch; the fastest first."""
        if not self.known.lit:
            return ()
        return tuple(
            one
            for one in self.tiers
            if one.tier.severity == severity and one.tier.name in self.known.lit
        )


def burning(seen: ObjectiveSeen, view: View) -> tuple[Burning, ...]:
    """An objective's tiers, the fastest first."""
    period_s, target = view.budget.period_s, seen.objective.target
    return burn.burning(period_s, target, seen.counted, view.known_of_s(seen))


def judge(seen: ObjectiveSeen, view: View, before: Known) -> Judged:
    period_s, target = view.budget.period_s, seen.objective.target
    period = seen.counted(period_s)
    left = burn.remaining(period, target, view.counted_of(seen))
    state, frozen = _spent(left, period, view.budget, was_frozen=before.frozen)
    if not before.lit and burn.is_quiet(period_s, target, seen.counted, view.known_of_s(seen)):
        return Judged(seen, view, Known({}, frozen) if frozen else UNKNOWN, left, state)
    tiers = burning(seen, view)
    lit = {}
    minute_s = view.now_s // _MINUTE_S * _MINUTE_S
    for one in tiers:
        at_s = minute_s if one.fires else before.lit.get(one.tier.name)
        if at_s is not None and (one.fires or not _is_over(one, view.now_s - at_s)):
            lit[one.tier.name] = min(at_s, view.now_s)
    pages = any(one.tier.name in lit for one in tiers if one.tier.severity == "page")
    incident = _incident(seen, view, before.incident, tiers[0]) if pages else None
    return Judged(seen, view, Known(lit, frozen, incident), left, state)


def _is_over(one: Burning, since_s: float) -> bool:
    """Whether it burns slowly enough again, and has for long enough. Nothing to see in the short
    window says neither, as long as the long one still burns."""
    above = 0.0 if one.factor is None else one.factor
    burns_on = one.short if one.short is not None else one.long
    return since_s >= LATCH_S + _MINUTE_S and (burns_on is None or burns_on <= above)


def _spent(
    left: float | None, period: Tally, budget: ErrorBudget, *, was_frozen: bool
) -> tuple[State, bool]:
    """What is asked for by what is left, and whether it is frozen. Unknown changes nothing."""
    if left is None:
        return ("frozen" if was_frozen else "normal"), was_frozen
    if period.bad < LEAST_BAD:
        return "normal", False
    if left <= 0.0 or (was_frozen and left <= budget.thaw):
        return "frozen", True
    if left < budget.restricted:
        return "restricted", False
    return ("caution" if left < budget.caution else "normal"), False


def _incident(
    seen: ObjectiveSeen, view: View, before: Incident | None, fastest: Burning
) -> Incident:
    """What was bad in the fastest tier's long window when it began belongs to it."""
    period = seen.counted(view.budget.period_s)
    if before is None:
        recent = seen.counted(fastest.tier.long_s)
        before = Incident(view.now_s, max(period.bad - recent.bad, 0), 0.0)
    allowed = period.judged * (1.0 - seen.objective.target)
    cost = (period.bad - before.bad_before) / allowed * view.counted_of(seen) if allowed else 0.0
    return Incident(before.began_s, before.bad_before, round(max(before.cost, cost), 2))
