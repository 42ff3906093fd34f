"""How budgets stand: what each value of a scope has spent in the period, and where it will end.

The forecast is linear: what was spent so far, times the length of the period over the part of it
that has passed. In the first twentieth of a period there is none, and a budget that rolls on or is
for a lifetime has none at all, because its period has no end.
"""

import threading
from collections.abc import Callable

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.core import clock
from tidegate.core.limit import SEPARATOR, SPEND, allowed_at, raised_at
from tidegate.core.periods import TOO_EARLY, period_at
from tidegate.core.plan import Limit, Plan
from tidegate.stores import budget_use
from tidegate.stores.budget_use import Span, Used

_REST = 20
_LONGEST_REST_S = 600.0
_MOST_KEPT = 2000
TEAM = "team"


class Standing(Struct, frozen=True):
    """One budget now. `since_s` and `until_s` bound what counts, `period_start_s` names the
    period; one that rolls on is given a period of its own length for that. `allowed_nanousd` is of
    every value but those `raised`."""

    limit: Limit
    allowed_nanousd: int
    raised: dict[str, int]
    period_start_s: int
    since_s: float
    until_s: float | None
    now_s: float
    used: list[Used]

    def allowed_of(self, used: Used) -> int:
        """What this value may spend, in nano-dollars."""
        return self.raised.get(SEPARATOR.join(used.values), self.allowed_nanousd)

    def forecast(self, used_nanousd: int) -> int | None:
        """What will be spent at the end of the period, at the pace so far."""
        if self.until_s is None:
            return None
        passed = (self.now_s - self.since_s) / (self.until_s - self.since_s)
        return None if passed < TOO_EARLY else round(used_nanousd / passed)


def budgets_of(plan: Plan) -> list[Limit]:
    """The budgets in force, by name."""
    return [limit for limit in plan.limits if limit.kind == SPEND]


def is_seen_by(limit: Limit, team: str) -> bool:
    """Whether a budget tells of one team apart from others, and of this one."""
    only = dict(limit.only)
    return only.get(TEAM) == team or (TEAM in limit.scope and TEAM not in only)


# What names a budget's period, what counts in it, and when it ends; None: it does not.
Now = tuple[int, Span, float | None]


def now_of(limit: Limit, now_s: float) -> Now:
    """The period of a budget that holds `now_s`, until then."""
    if limit.unit is None:
        length_s = limit.per_s or 1.0
        return int(now_s // length_s * length_s), Span(now_s - length_s, now_s), None
    period = period_at(limit.unit, limit.time_zone, now_s)
    until_s = None if limit.unit == "lifetime" else float(period.end_s)
    return period.start_s, Span(float(period.start_s), now_s), until_s


def standing_of(limit: Limit, now: Now, used: list[Used]) -> Standing:
    """A budget of which its values have spent so much."""
    start_s, span, until_s = now
    now_s = span.until_s
    allowed, raised = allowed_at(limit, now_s), raised_at(limit, now_s)
    return Standing(limit, allowed, raised, start_s, span.since_s, until_s, now_s, used)


class BudgetFigures:
    """Budgets with what their values have spent. Use it from any thread.

    Where receipts have to be looked at, an answer stands for twenty times as long as it took to
    find: whoever asks again and again takes a twentieth of a processor, and no more.
    """

    def __init__(self, now_s: Callable[[], float] = clock.monotonic_s) -> None:
        self.now_s = now_s
        self._looking = threading.Lock()
        self._kept: dict[_Asked, _Kept] = {}

    def standing(
        self,
        connection: Connection,
        limit: Limit,
        now_s: float,
        *,
        most: int = 100,
        team: str | None = None,
    ) -> Standing:
        """A budget with the values that spent most, of one team alone where it is given."""
        only, now = limit.only, now_of(limit, now_s)
        if team is not None and TEAM not in dict(only):
            only = (*only, (TEAM, team))
        asked = _Asked(limit.scope, only, now[0], limit.per_s)
        most += len(raised_at(limit, now_s))
        return standing_of(limit, now, self._used(connection, asked, now[1], most))

    def _used(self, connection: Connection, asked: "_Asked", span: Span, most: int) -> list[Used]:
        def found(most: int) -> list[Used]:
            return budget_use.used(connection, asked.scope, asked.only, span, most=most)

        if budget_use.is_rolled_up((*asked.scope, *(name for name, _ in asked.only))):
            return found(most)
        kept = self._kept.get(asked)
        if kept is None:
            self._looking.acquire()
        elif self.now_s() < kept.until_s or not self._looking.acquire(blocking=False):
            return kept.used[:most]  # what was found last, rather than wait for another's look
        try:
            began_s, kept = self.now_s(), self._kept.get(asked)
            if kept is None or began_s >= kept.until_s:
                used, ended_s = found(_MOST_KEPT), self.now_s()
                rest_s = min(_REST * (ended_s - began_s), _LONGEST_REST_S)
                self._forget(began_s)
                kept = self._kept[asked] = _Kept(used, ended_s + rest_s)
            return kept.used[:most]
        finally:
            self._looking.release()

    def _forget(self, now_s: float) -> None:
        """Answers that nobody has asked for in a while."""
        recent = {k: it for k, it in self._kept.items() if now_s < it.until_s + _LONGEST_REST_S}
        self._kept = recent


class _Asked(Struct, frozen=True):
    scope: tuple[str, ...]
    only: tuple[tuple[str, str], ...]
    period_start_s: int
    per_s: float | None


class _Kept(Struct, frozen=True):
    used: list[Used]
    until_s: float
