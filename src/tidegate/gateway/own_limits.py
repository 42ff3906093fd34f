"""Limits that keys bring with them. Keys of the same limits share them; each is counted apart."""

from tidegate.core import plugs
from tidegate.core.key_limits import KeyLimits
from tidegate.core.limit import LimitKind, Moment
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.gateway.in_force import InForce, MakeCounters

MAX_OWN = 16_384
_SWEPT_AT_ONCE = 256
# A request may have found a limit and not counted on it yet: so long it is kept without a count.
IDLE_S = 60.0


class OwnLimits:
    """Bound when a key with such limits calls first, and let go when nothing is counted."""

    def __init__(self, make: MakeCounters) -> None:
        self._make = make
        self._bound: dict[Limit, InForce] = {}
        self._idle_since_s: dict[Limit, float] = {}
        self._unswept: list[Limit] = []

    def of(self, limits: KeyLimits) -> tuple[InForce, ...]:
        """The same limits are the same objects. Refusal when too many are counted already."""
        return tuple(self._bound.get(limit) or self._bind(limit) for limit in limits.limits())

    def sweep(self, now: Moment) -> bool:
        """Ends raises whose time is over, and forgets counters that say nothing any more. Whether a
        limit was let go: whoever keeps what `of` gave must ask anew."""
        let_go = False
        self._unswept = self._unswept or list(self._bound)
        for limit in self._unswept[-_SWEPT_AT_ONCE:]:
            it = self._bound[limit]
            assert it.counters is not None  # noqa: S101 - every kind of them counts
            it.lapse(now.wall_s)
            it.counters.sweep(now)
            if len(it.counters):
                self._idle_since_s.pop(limit, None)
            elif now.monotonic_s - self._idle_since_s.setdefault(limit, now.monotonic_s) > IDLE_S:
                del self._bound[limit], self._idle_since_s[limit]
                let_go = True
        del self._unswept[-_SWEPT_AT_ONCE:]
        return let_go

    def _bind(self, limit: Limit) -> InForce:
        if len(self._bound) >= MAX_OWN:
            raise Refusal(
                "limits_unavailable",
                "too many different limits of keys are counted at once",
                retry_after_s=IDLE_S,
            )
        kind: LimitKind = plugs.load("limits", limit.kind)
        shape = kind.shape(limit)
        assert shape is not None  # noqa: S101 - every kind of them counts
        counters = self._make(shape)
        it = self._bound[limit] = InForce(limit, kind, counters)
        if it.shape is not None:
            counters.reshape(it.shape)  # with the raises of its budget
        return it
