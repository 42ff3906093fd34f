"""How budgets stand: what each value of a scope has spent in the period, and where it will end.

The forecast is linear: what was spent so far, times the length of the period over the part of it
that has passed. In the first twentieth of a period there is none, and a budget that rolls on has
none at all, because its period has no end.
"""

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.core.limit import SEPARATOR, SPEND, allowed_at, raised_at
from tidegate.core.periods import period_at
from tidegate.core.plan import Limit, Plan
from tidegate.stores import budget_use
from tidegate.stores.budget_use import Span, Used

_TOO_EARLY = 0.05
TEAM = "team"


class Standing(Struct, frozen=True):
    """One budget now. `since_s` and `until_s` bound what counts, `period_start_s` names the
    period; one that rolls on is given a period of its own length for that. `allowed_nanousd` is of
    every value but those `raised`. `used` None: nobody here can tell what was spent."""

    limit: Limit
    allowed_nanousd: int
    raised: dict[str, int]
    period_start_s: int
    since_s: float
    until_s: float | None
    now_s: float
    used: list[Used] | None

    def allowed_of(self, used: Used) -> int:
        """What this value may spend, in nano-dollars."""
        return self.raised.get(SEPARATOR.join(used.values), self.allowed_nanousd)

    def forecast(self, used_nanousd: int) -> int | None:
        """What will be spent at the end of the period, at the pace so far."""
        if self.until_s is None:
            return None
        passed = (self.now_s - self.since_s) / (self.until_s - self.since_s)
        return None if passed < _TOO_EARLY else round(used_nanousd / passed)


def budgets_of(plan: Plan) -> list[Limit]:
    """The budgets in force, by name."""
    return [limit for limit in plan.limits if limit.kind == SPEND]


def is_seen_by(limit: Limit, team: str) -> bool:
    """Whether a budget tells of one team apart from others, and of this one."""
    only = dict(limit.only)
    return only.get(TEAM) == team or (TEAM in limit.scope and TEAM not in only)


def standing(
    connection: Connection, limit: Limit, now_s: float, *, most: int = 100, team: str | None = None
) -> Standing:
    """A budget with the values that spent most, of one team alone where it is given."""
    only, raised = limit.only, raised_at(limit, now_s)
    if team is not None and TEAM not in dict(only):
        only = (*only, (TEAM, team))
    if limit.unit is not None:
        period = period_at(limit.unit, limit.time_zone, now_s)
        start_s, since_s, until_s = period.start_s, float(period.start_s), float(period.end_s)
    else:
        length_s = limit.per_s or 1.0
        start_s, since_s = int(now_s // length_s * length_s), now_s - length_s
    dimensions = (*limit.scope, *(name for name, _ in only))
    used = None
    if budget_use.is_told_apart(dimensions):
        span = Span(since_s, now_s)
        used = budget_use.used(connection, limit.scope, only, span, most=most + len(raised))
    return Standing(
        limit,
        allowed_at(limit, now_s),
        raised,
        start_s,
        since_s,
        until_s if limit.unit is not None else None,
        now_s,
        used,
    )
