"""Limits that keys bring with them, counted by several gateways together: see `own_limits`."""

from tidegate.core import plugs
from tidegate.core.key_limits import KeyLimits
from tidegate.core.limit import SPEND, LimitKind, Moment
from tidegate.core.plan import Limit
from tidegate.gateway.in_force import InForce
from tidegate.gateway.own_limits import MAX_OWN
from tidegate.gateway.shared_limit import SharedLimit, counters_name
from tidegate.gateway.shared_store import SharedStore


class OwnShared:
    """Those of one plan. What they count lies in the store alone, so any may be let go."""

    def __init__(self, store: SharedStore, lease_s: float) -> None:
        self._store = store
        self._lease_s = lease_s
        self._bound: dict[Limit, InForce] = {}

    def of(self, limits: KeyLimits, key_id: str) -> tuple[InForce, ...]:
        """A limit whose amount alone has changed counts on. A budget that refuses nothing is left
        to control: its count would hold requests up where the ledger cannot be read."""
        return tuple(
            self._bound.get(limit) or self._bind(limit)
            for limit in limits.limits()
            if limit.kind != SPEND or limit.on_excess == "refuse"
        )

    def sweep(self, now: Moment) -> bool:
        """Nothing is counted here."""
        return False

    def _bind(self, limit: Limit) -> InForce:
        if len(self._bound) >= MAX_OWN:
            self._bound.clear()
        kind: LimitKind = plugs.load("limits", limit.kind)
        shape = kind.shape(limit)
        assert shape is not None  # noqa: S101 - every kind of them counts
        name = counters_name(limit, shape)
        shared = SharedLimit(limit, name, self._store, self._lease_s, own=True)
        it = self._bound[limit] = InForce(limit, kind, None, shared)
        return it
