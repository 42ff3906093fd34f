"""The limits of a plan, bound to their kinds and counters, and gathered for each caller.

Counters outlive a plan: a limit that keeps its name, kind and scope keeps what it has counted.
"""

import hashlib
from collections.abc import Callable
from typing import Protocol

from tidegate.core import plugs
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.limit import Calendar, Counters, LimitKind, Moment, Rolling, Shape, of_target
from tidegate.core.plan import Limit, Plan
from tidegate.core.receipt import Receipt
from tidegate.gateway.gate import Gate
from tidegate.gateway.in_force import InForce
from tidegate.gateway.shared_limit import SharedLimit
from tidegate.gateway.shared_store import SharedStore, SharedStores, lease_s

Identity = tuple[str, str, tuple[str, ...], type, tuple[object, ...]]

MAX_GATES = 16_384
_OPEN = Gate(())


class Own(Protocol):
    """What binds the limits that keys bring with them, whatever the plan."""

    def of(self, limits: KeyLimits) -> tuple[InForce, ...]:
        """Refusal when no more can be counted."""

    def sweep(self, now: Moment) -> bool:
        """Whether a limit was let go: what `of` gave is to be asked for anew."""


class Bound:
    """Every limit of one plan, and the counters that the next plan takes over. `store` is where
    several gateways count them together."""

    def __init__(
        self, limits: tuple[InForce, ...], own: Own, store: SharedStore | None = None
    ) -> None:
        self._own = own
        self.store = store
        self.of_caller = tuple(it for it in limits if not of_target(it.limit))
        self.of_target = tuple(it for it in limits if of_target(it.limit))
        self.target_gate = Gate(self.of_target)
        self.any = bool(limits)
        self._gates: dict[tuple[str, str], tuple[KeyRecord, Gate]] = {}

    def gate(self, key: KeyRecord, receipt: Receipt) -> Gate:
        """The caller-scoped limits that can apply to this key on this route."""
        if not self.of_caller and key.limits is None:
            return _OPEN
        place = (key.id, receipt.route or "")
        kept = self._gates.get(place)
        if kept is not None and kept[0] is key:
            return kept[1]
        gate = Gate(self.of_key(key) + self.of_caller, receipt)
        if len(self._gates) >= MAX_GATES:
            self._gates.clear()
        self._gates[place] = (key, gate)
        return gate

    def every(self) -> tuple[InForce, ...]:
        return self.of_caller + self.of_target

    def forget_gates(self) -> None:
        """Gathers them anew for each key."""
        self._gates.clear()

    def of_key(self, key: KeyRecord) -> tuple[InForce, ...]:
        """The limits of this key alone. Refusal when no more can be counted."""
        return () if key.limits is None else self._own.of(key.limits)


MakeCounters = Callable[[Shape], Counters]


class Binder:
    """Binds the limits of one plan after another. Without `stores` all are counted in memory."""

    def __init__(self, make: MakeCounters, own: Own, stores: SharedStores | None = None) -> None:
        self._make = make
        self._stores = stores
        self._own = own
        self._bound = Bound((), own)
        self._counters: dict[Identity, Counters] = {}

    def bind(self, plan: Plan) -> Bound:
        """The plan's limits, not yet in force. PlugError for a kind that does not load; ValueError
        and OSError where the address of its shared store is not to be had."""
        store = self._store(plan)
        limits = tuple(self._bind(limit, store, lease_s(plan)) for limit in plan.limits)
        return Bound(limits, self._own, store)

    def _store(self, plan: Plan) -> SharedStore | None:
        if self._stores is None or not plan.limits:
            return None
        money = []
        for limit in plan.limits:
            kind: LimitKind = plugs.load("limits", limit.kind)
            shape = kind.shape(limit)
            if shape is not None and kind.noun == "nanousd":
                money.append(_identity(limit, shape))
        return self._stores.of(plan, money)

    def adopt(self, bound: Bound) -> None:
        """These are in force now: what they count goes on, what no limit counts is forgotten."""
        kept = {}
        self._bound = bound
        if self._stores is not None:
            money = tuple(it for it in bound.every() if it.money)
            self._stores.adopt(bound.store, money)
        for it in bound.every():
            if it.counters is not None and it.shape is not None:
                it.counters.reshape(it.shape)
                kept[_identity(it.limit, it.shape)] = it.counters
        self._counters = kept

    def sweep(self, now: Moment) -> None:
        """Ends raises whose time is over, and forgets what says nothing any more."""
        if self._own.sweep(now):
            self._bound.forget_gates()
        for it in self._bound.every():
            it.lapse(now.wall_s)
        for counters in self._counters.values():
            counters.sweep(now)

    def _bind(self, limit: Limit, store: SharedStore | None, lease_s: float) -> InForce:
        kind: LimitKind = plugs.load("limits", limit.kind)
        shape = kind.shape(limit)
        if shape is None:
            return InForce(limit, kind, None)
        if store is not None:
            name = f"{limit.name}/{_digest(_identity(limit, shape))}"
            return InForce(limit, kind, None, SharedLimit(limit, name, store, lease_s))
        counters = self._counters.get(_identity(limit, shape))
        return InForce(limit, kind, counters or self._make(shape))


def _digest(identity: Identity) -> str:
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:8]


def _identity(limit: Limit, shape: Shape) -> Identity:
    """What says that two limits count the same. Money of another period, or of others, begins
    anew: the ledger knows what was spent of that."""
    counted: tuple[object, ...] = ()
    if isinstance(shape, Calendar):
        counted = (limit.only, shape.unit, shape.time_zone)
    elif isinstance(shape, Rolling) and shape.wall:
        counted = (limit.only, shape.window_s)
    return limit.name, limit.kind, limit.scope, type(shape), counted
