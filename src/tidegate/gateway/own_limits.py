"""Limits that keys bring with them. Keys of the same limits share them; each is counted apart.

A key whose rate is changed counts on in the counters of the new one: who may edit it cannot fill it
up again so. A changed budget begins with what the ledger has of it.
"""

from typing import Final, Protocol, cast

from tidegate.core import plugs
from tidegate.core.key_limits import PARALLEL, REQUESTS, TOKENS, KeyLimits
from tidegate.core.limit import Counters, LimitKind, Moment, Seeded
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce, MakeCounters

MAX_OWN = 16_384
_SWEPT_AT_ONCE = 256
# A request may have found a limit and not counted on it yet: so long it is kept without a count.
IDLE_S = 60.0
MAX_REMEMBERED = 65_536
_HANDED_OVER: Final = frozenset({REQUESTS, TOKENS, PARALLEL})


class _Movable(Protocol):
    """Counters that a scope can leave for others of their shape."""

    def hand_over(self, scope: str, to: Counters, now: Moment) -> None: ...


class OwnLimits:
    """Bound when a key with such limits calls first, and let go when nothing is counted."""

    def __init__(self, make: MakeCounters) -> None:
        self._make = make
        self._bound: dict[Limit, InForce] = {}
        self._idle_since_s: dict[Limit, float] = {}
        self._unswept: list[Limit] = []
        # What each key was counted by last, by the limit's name; who was asked for last is last.
        self._last: dict[tuple[str, str], Limit] = {}

    def of(self, limits: KeyLimits, key_id: str) -> tuple[InForce, ...]:
        """The same limits are the same objects. Refusal when too many are counted already."""
        declared = limits.limits()
        found = tuple(self._bound.get(limit) or self._bind(limit) for limit in declared)
        for limit, it in zip(declared, found, strict=True):
            self._go_on(limit, it, key_id)
        return found

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

    def _go_on(self, limit: Limit, it: InForce, key_id: str) -> None:
        """Has the key's count with it, where another amount was counted before; of a budget what
        the ledger has, as those whose limit it is too may have been counted here all along."""
        before = self._last.pop((key_id, limit.name), None)
        self._last[key_id, limit.name] = limit
        if len(self._last) > MAX_REMEMBERED:
            del self._last[next(iter(self._last))]
        if before == limit:
            return
        if limit.name not in _HANDED_OVER:
            if it.knows is not None:
                cast(Seeded, it.counters).doubt(key_id, stale=before is not None)
            return
        old = None if before is None else self._bound.get(before)
        if old is not None and it.counters is not None:
            cast(_Movable, old.counters).hand_over(key_id, it.counters, moment())

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
