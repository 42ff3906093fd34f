"""What the error-budget controller sees of one route, and what it remembers."""

from typing import Final

from msgspec import Struct

from tidegate.core.block import Tally
from tidegate.core.objective import ErrorBudget, Objective, State
from tidegate.stats.burn import TierName, absence_gap_s


class ObjectiveSeen(Struct, frozen=True, omit_defaults=True):
    """`counts` are requests by the seconds of a window that ends now. `canary` are those of a
    release's candidate in the fastest tier's long window, None where there is none. `known_s` is
    for how long it has been counted, None for as long as its route."""

    objective: Objective
    counts: dict[int, Tally] = {}
    canary: Tally | None = None
    known_s: float | None = None

    def counted(self, window_s: float) -> Tally:
        return self.counts.get(int(window_s)) or Tally()


class MoneySeen(Struct, frozen=True):
    """A money budget that pays for the route has reached so much of what it allows; what was spent
    has, unless it is `forecast`."""

    budget: str
    scope: str
    percent: int
    forecast: bool


class View(Struct, frozen=True, omit_defaults=True):
    """One route now. `known_s` is how long its requests have been counted, of the period at most.
    `reviewed_at_s` is when people last said that they had reviewed an incident, `week_ago_per_s`
    how many requests came a second at this hour a week ago, None where nobody knows."""

    route: str
    now_s: float
    known_s: float
    budget: ErrorBudget
    objectives: tuple[ObjectiveSeen, ...]
    money: tuple[MoneySeen, ...] = ()
    reviewed_at_s: float | None = None
    week_ago_per_s: float | None = None

    def known_of_s(self, seen: ObjectiveSeen) -> float:
        """How long the objective has been counted."""
        return self.known_s if seen.known_s is None else min(seen.known_s, self.known_s)

    def counted_of(self, seen: ObjectiveSeen) -> float:
        """The part of the period in which it has."""
        return min(self.known_of_s(seen) / self.budget.period_s, 1.0)

    @property
    def comes(self) -> bool:
        """Whether anything was judged in the time after which its absence is told."""
        gap_s = absence_gap_s(self.budget.period_s)
        return any(seen.counted(gap_s).judged for seen in self.objectives)

    @property
    def in_maintenance(self) -> bool:
        return any(one.from_s <= self.now_s < one.until_s for one in self.budget.maintenance)


class Incident(Struct, frozen=True):
    """Since when a page lasts, what was bad of the period before it, and what part of the budget
    it has cost so far."""

    began_s: float
    bad_before: int
    cost: float


class Review(Struct, frozen=True):
    """An incident that people have to review, of `sli`, and what part of the budget it cost."""

    sli: str
    since_s: float
    cost: float


class Known(Struct, frozen=True, omit_defaults=True):
    """One objective. `lit` are the tiers that fire, each with when it was last seen to."""

    lit: dict[TierName, float] = {}
    frozen: bool = False
    incident: Incident | None = None


UNKNOWN: Final = Known()


class Memory(Struct, frozen=True, omit_defaults=True):
    """One route. `paged_at_s` is the end of the hour in which a page last fired, `exempt_until_s`
    when the exemption ends that was told of last."""

    objectives: dict[str, Known] = {}
    state: State = "normal"
    paged_at_s: float | None = None
    absent: bool = False
    review: Review | None = None
    exempt_until_s: float | None = None
