"""One limit whose counters several gateways share: what a request wants of it."""

import hashlib

from msgspec.structs import replace

from tidegate.core.limit import SPEND, Calendar, Gauge, Rolling, Shape
from tidegate.core.periods import period_at
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.gateway.shared_store import SharedStore
from tidegate.stores.redis_wants import GAUGE_LEASE_S, NO_PERIODS, Periods, Quota, Want

Identity = tuple[str, str, tuple[str, ...], type, tuple[object, ...]]


class SharedLimit:
    """The limit's part of the store. `name` tells its counters from those of others. `hard`:
    nobody passes while they cannot be asked. `own`: keys bring it, each with its team, and what
    was spent of it before comes into each counter by itself."""

    __slots__ = (
        *("_by_team", "_learns", "_lease_s", "_name", "_periods", "_quota", "_raised"),
        *("hard", "store"),
    )

    def __init__(
        self, limit: Limit, name: str, store: SharedStore, lease_s: float, own: bool = False
    ) -> None:
        self.store = store
        self._lease_s = lease_s
        self._name = name
        self.hard = limit.kind == SPEND and limit.on_excess == "refuse"
        self._learns = own and limit.kind == SPEND
        self._by_team = (
            own or "team" in limit.scope or any(name == "team" for name, _ in limit.only)
        )
        self._periods = NO_PERIODS
        self._quota: Quota

    def stand(self, shape: Shape) -> None:
        """From now on it allows what `shape` says."""
        self._quota = self._quota_of(shape)
        raised = shape.raised if isinstance(shape, Calendar | Rolling) else {}
        self._raised = {
            scope: self._quota_of(replace(shape, allowed=allowed))
            for scope, allowed in raised.items()
        }
        self._periods = NO_PERIODS

    def _quota_of(self, shape: Shape) -> Quota:
        lease_s = GAUGE_LEASE_S if isinstance(shape, Gauge) else self._lease_s
        return Quota(self._name, shape, self.hard, lease_s, self._learns)

    def want(
        self, scope: str, amount: int, receipt: Receipt, wall_s: float, at_s: float = 0.0
    ) -> Want:
        """So much for this request; `at_s` is when it was spent, for what is seeded."""
        shape = self._quota.shape
        if isinstance(shape, Calendar) and not self._periods[1] <= wall_s < self._periods[2]:
            self._periods = periods_around(shape, wall_s)
        group = receipt.team if self._by_team else None
        quota = self._raised.get(scope, self._quota)
        return Want(quota, scope, amount, group, self._periods, at_s)


def counters_name(limit: Limit, shape: Shape) -> str:
    """What tells its counters from those of every other limit."""
    digest = hashlib.sha256(repr(identity(limit, shape)).encode()).hexdigest()[:8]
    return f"{limit.name}/{digest}"


def identity(limit: Limit, shape: Shape) -> Identity:
    """What says that two limits count the same. Money of another period, or of others, or with
    other opening balances begins anew: the ledger knows what was spent of that."""
    counted: tuple[object, ...] = ()
    if isinstance(shape, Calendar):
        counted = (limit.only, shape.unit, shape.time_zone, limit.openings)
    elif isinstance(shape, Rolling) and shape.wall:
        counted = (limit.only, shape.window_s, limit.openings)
    return limit.name, limit.kind, limit.scope, type(shape), counted


def periods_around(shape: Calendar, wall_s: float) -> Periods:
    """Where the last period begins, this one, the next, and where that ends."""
    this = period_at(shape.unit, shape.time_zone, wall_s)
    last = period_at(shape.unit, shape.time_zone, this.start_s - 1)
    following = period_at(shape.unit, shape.time_zone, this.end_s)
    return last.start_s, this.start_s, this.end_s, following.end_s
