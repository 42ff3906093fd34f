"""The limits of a plan, bound to their kinds and counters, and gathered for each caller.

Counters outlive a plan: a limit that keeps its name, kind and scope keeps what it has counted.
"""

from typing import Protocol

from tidegate.core import plugs
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.limit import Counters, LimitKind, Moment, of_target
from tidegate.core.plan import Limit, Plan
from tidegate.core.receipt import Receipt
from tidegate.gateway.gate import Gate
from tidegate.gateway.in_force import InForce, MakeCounters
from tidegate.gateway.own_shared import OwnShared
from tidegate.gateway.shared_limit import Identity, SharedLimit, counters_name, identity
from tidegate.gateway.shared_store import SharedStore, SharedStores, lease_s

MAX_GATES = 16_384
_OPEN = Gate(())


class Own(Protocol):
    """What binds the limits that keys bring with them, whatever the plan."""

    def of(self, limits: KeyLimits, key_id: str) -> tuple[InForce, ...]:
        """What this key is held to. Refusal when no more can be counted."""

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
        return () if key.limits is None else self._own.of(key.limits, key.id)


class Binder:
    """Binds the limits of one plan after another. Without `stores` all are counted in memory."""

    def __init__(self, make: MakeCounters, own: Own, stores: SharedStores | None = None) -> None:
        self._make = make
        self._stores = stores
        self._own = own
        self._bound = Bound((), own)
        self._counters: dict[Identity, Counters] = {}
        self._shared: set[tuple[SharedStore, Identity]] = set()

    def bind(self, plan: Plan) -> Bound:
        """The plan's limits, not yet in force. PlugError for a kind that does not load; ValueError
        and OSError where the address of its shared store is not to be had."""
        store = self._store(plan)
        limits = tuple(self._bind(limit, store, lease_s(plan)) for limit in plan.limits)
        own = self._own if store is None else OwnShared(store, lease_s(plan))
        return Bound(limits, own, store)

    def _store(self, plan: Plan) -> SharedStore | None:
        if self._stores is None or plan.counters is None:
            return None
        money = []
        for limit in plan.limits:
            kind: LimitKind = plugs.load("limits", limit.kind)
            shape = kind.shape(limit)
            if shape is not None and kind.noun == "nanousd":
                money.append(identity(limit, shape))
        return self._stores.of(plan, money)

    def adopt(self, bound: Bound) -> list[InForce]:
        """These are in force now: what they count goes on, what no limit counts is forgotten. Those
        that count from now on come back."""
        kept, begun = {}, []
        before, self._shared = self._shared, set()
        self._bound = bound
        if self._stores is not None:
            money = tuple(it for it in bound.every() if it.money)
            self._stores.adopt(bound.store, money)
        for it in bound.every():
            if it.counters is not None and it.shape is not None:
                it.counters.reshape(it.shape)
                counted = identity(it.limit, it.shape)
                kept[counted] = it.counters
                if counted not in self._counters:
                    begun.append(it)
            elif it.shared is not None and it.shape is not None:
                place = it.shared.store, identity(it.limit, it.shape)
                self._shared.add(place)
                if place not in before:
                    begun.append(it)
        self._counters = kept
        return begun

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
            name = counters_name(limit, shape)
            return InForce(limit, kind, None, SharedLimit(limit, name, store, lease_s))
        counters = self._counters.get(identity(limit, shape))
        return InForce(limit, kind, counters or self._make(shape))
