"""What one key alone is held to, beside the plan's limits. Lies on the key and not in the plan,
which would be as long as there are keys."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.limit import SPEND
from tidegate.core.plan import Limit, PeriodUnit, Raise

# No name in a plan file has a colon.
BUDGET, REQUESTS, TOKENS, PARALLEL = "key:budget", "key:requests", "key:tokens", "key:parallel"
OF_KEY = "key:"  # and the key's id: what its budget is called beside the plan's
_SCOPE = ("key",)
_MINUTE_S = 60.0


class KeyLimits(Struct, frozen=True, omit_defaults=True):
    """None is no limit. A budget is given anew with each `budget_unit` of the calendar (UTC), or
    by and by over `budget_s`; exactly one of the two is set where there is a budget, which `raises`
    raise. `budget_alerts` are the percents of it that control tells of, `openings` as of any
    limit; where `budget_degrade`, ladders of routes look at it."""

    budget_nanousd: int | None = None
    budget_unit: PeriodUnit | None = None
    budget_s: float | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_parallel_requests: int | None = None
    raises: tuple[Raise, ...] = ()
    budget_hard: bool = True
    budget_alerts: tuple[int, ...] = (50, 80, 100)
    openings: int = 0
    budget_degrade: bool = False

    def limits(self) -> tuple[Limit, ...]:
        """As limits that count by key: keys with the same limits share them, each with counters
        of its own."""
        found = []
        if self.max_parallel_requests is not None:
            found.append(Limit(PARALLEL, "concurrency", self.max_parallel_requests, _SCOPE))
        for name, kind, amount in (
            (REQUESTS, "requests", self.requests_per_minute),
            (TOKENS, "tokens", self.tokens_per_minute),
        ):
            if amount is not None:
                found.append(Limit(name, kind, amount, _SCOPE, per_s=_MINUTE_S))
        if self.budget_nanousd is not None:
            unit, per_s = self.budget_unit, self.budget_s
            budget = Limit(BUDGET, SPEND, self.budget_nanousd, _SCOPE, per_s=per_s, unit=unit)
            on_excess: Literal["refuse", "alert"] = "refuse" if self.budget_hard else "alert"
            own = {"raises": self.raises, "on_excess": on_excess, "openings": self.openings}
            found.append(replace(budget, **own, degrades=self.budget_degrade))
        return tuple(found)


def budget_name(key_id: str) -> str:
    """What operators call the budget of this key."""
    return OF_KEY + key_id


def budgeted_key(name: str) -> str | None:
    """The id of the key whose budget is called so; None for any other budget."""
    return name.removeprefix(OF_KEY) if name.startswith(OF_KEY) else None
