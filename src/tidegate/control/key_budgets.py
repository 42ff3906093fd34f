"""Budgets that keys bring with them, as budgets: each is called `key:` and the key's id."""

import heapq
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.control.budget_figures import Standing, now_of, standing_of
from tidegate.core.key_limits import BUDGET, KeyLimits, budget_name
from tidegate.core.limit import SPEND
from tidegate.core.plan import Limit
from tidegate.stores import budget_use, key_spend
from tidegate.stores.budget_use import Used


class Holder(Struct, frozen=True):
    """A key's budget now, and whose it is."""

    standing: Standing
    name: str
    team: str


def limit_of(key_id: str, limits: KeyLimits | None) -> Limit | None:
    """The key's budget as one like any other; None where it brings none."""
    found = next((one for one in (limits or KeyLimits()).limits() if one.name == BUDGET), None)
    if found is None or limits is None:
        return None
    only = (("key", key_id),)
    name, alerts = budget_name(key_id), limits.budget_alerts
    return replace(found, name=name, only=only, alert_percents=alerts)


def standing(connection: Connection, key_id: str, limit: Limit, now_s: float) -> Standing:
    """How the budget of one key stands."""
    now = now_of(limit, now_s)
    used = budget_use.used(connection, ("key",), limit.only, now[1], most=1)
    return standing_of(limit, now, used or [Used((key_id,), 0)])


def every(connection: Connection, now_s: float, team: str | None = None) -> Iterator[Holder]:
    """Budgets of all live keys, or of one team's, however many there are."""
    for period in key_spend.periods(connection, now_s, team):
        unit, rolling_s = period
        now = now_of(Limit("", SPEND, 1, unit=unit, per_s=rolling_s), now_s)
        for one in key_spend.spent(connection, period, now[1], team):
            limit = limit_of(one.key_id, one.limits)
            if limit is not None:
                used = [Used((one.key_id,), one.nanousd)]
                yield Holder(standing_of(limit, now, used), one.name, one.team)


class Nearest:
    """Of many the few that spent the greatest part of what they may, and how many there are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[tuple[float, int, Holder]] = []
        self.count = 0

    def add(self, one: Holder) -> None:
        self.count += 1
        place = share(one.standing), -self.count, one
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, place)
        elif self._most:
            heapq.heappushpop(self._kept, place)

    def found(self) -> list[Holder]:
        """First the one that is nearest to its end."""
        return [one for _, _, one in sorted(self._kept, reverse=True)]


def share(standing: Standing) -> float:
    """How much of a key's budget is spent: 1.0 is all of it."""
    (used,) = standing.used
    return used.nanousd / standing.allowed_of(used)
