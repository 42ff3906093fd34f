"""How many requests came at this hour a week ago, for whoever says that none come now."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from tidegate.stats.burn import WEEK_S
from tidegate.stores.signal_bins import DAY_S, HOUR_S
from tidegate.stores.signal_sums import judged_at

# Nobody says so of a shorter time than two short windows of the usual period.
_GAP_S: Final = 600.0


class WeekAgo:
    """Asks the store once for each hour. Not safe between threads."""

    def __init__(self) -> None:
        self._hours: tuple[int, ...] = ()
        self._per_s: Mapping[str, float] = {}

    def per_s(self, connection: Connection, now_s: float) -> Mapping[str, float]:
        """By route, requests a second in the hour of a week ago; of two hours that the last ten
        minutes touch, the lesser. A route of which nothing is known on that day is not there.
        StoreError."""
        ends_s = (now_s - WEEK_S - _GAP_S, now_s - WEEK_S)
        hours = tuple(sorted({int(at_s // HOUR_S) * HOUR_S for at_s in ends_s}))
        if hours != self._hours:
            days = {hour_s - hour_s % DAY_S for hour_s in hours}
            known = judged_at(connection, DAY_S, days)
            came = judged_at(connection, HOUR_S, hours)
            self._per_s = {
                route: min(came.get(route, {}).get(hour_s, 0) for hour_s in hours) / HOUR_S
                for route in known
            }
            self._hours = hours
        return self._per_s
