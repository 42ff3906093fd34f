"""Limits in force: each bound to its kind and its counters, and gathered for a caller.

Counters outlive a plan: a limit that keeps its name, kind and scope keeps what it has counted.
"""

from collections.abc import Callable
from operator import attrgetter

from tidegate.core import plugs
from tidegate.core.key import KeyRecord
from tidegate.core.limit import (
    ATTRIBUTE,
    CALLER_DIMENSIONS,
    SEPARATOR,
    TARGET_DIMENSIONS,
    Counters,
    Demand,
    LimitKind,
    Moment,
    Shape,
    of_target,
)
from tidegate.core.plan import Limit, Plan
from tidegate.core.receipt import Receipt

MAX_GATES = 16_384
_FIELDS = {**CALLER_DIMENSIONS, **TARGET_DIMENSIONS}
# What is the same for every request of one key on one route.
_FIXED = frozenset({"key", "team", "customer", "route", "environment"})

ScopeOf = Callable[[Receipt], str | None]


class InForce:
    """One limit, bound. `counters` is None where the kind judges each request by itself."""

    __slots__ = ("amount", "counters", "kind", "limit", "money", "scope_of", "shape", "used")

    def __init__(self, limit: Limit, kind: LimitKind, counters: Counters | None) -> None:
        self.limit = limit
        self.kind = kind
        self.counters = counters
        self.shape = kind.shape(limit)
        self.amount: Callable[[Demand], int] = kind.amount(limit)
        self.used: Callable[[Receipt], int | None] = kind.used(limit)
        self.scope_of = scope_reader(limit.scope)
        self.money = kind.noun == "nanousd"

    def applies(self, receipt: Receipt) -> bool:
        """Whether the request has the values that `only` asks for."""
        only = self.limit.only
        return not only or all(_value(receipt, name) == value for name, value in only)


class Bound:
    """Every limit of one plan, and the counters that the next plan takes over."""

    def __init__(self, limits: tuple[InForce, ...]) -> None:
        self.of_caller = tuple(it for it in limits if not of_target(it.limit))
        self.of_target = tuple(it for it in limits if of_target(it.limit))
        self._gates: dict[tuple[str, str], tuple[KeyRecord, tuple[InForce, ...]]] = {}

    def gate(self, key: KeyRecord, receipt: Receipt) -> tuple[InForce, ...]:
        """The caller-scoped limits that can apply to this key on this route."""
        if not self.of_caller:
            return ()
        place = (key.id, receipt.route or "")
        kept = self._gates.get(place)
        if kept is not None and kept[0] is key:
            return kept[1]
        gate = tuple(it for it in self.of_caller if _may_apply(it, receipt))
        if len(self._gates) >= MAX_GATES:
            self._gates.clear()
        self._gates[place] = (key, gate)
        return gate


MakeCounters = Callable[[Shape], Counters]


class Binder:
    """Binds the limits of one plan after another."""

    def __init__(self, make: MakeCounters) -> None:
        self._make = make
        self._counters: dict[tuple[str, str, tuple[str, ...], type], Counters] = {}

    def bind(self, plan: Plan) -> Bound:
        """The plan's limits, not yet in force. PlugError for a kind that does not load."""
        return Bound(tuple(self._bind(limit) for limit in plan.limits))

    def adopt(self, bound: Bound) -> None:
        """These are in force now: what they count goes on, what no limit counts is forgotten."""
        kept = {}
        for it in (*bound.of_caller, *bound.of_target):
            shape = it.kind.shape(it.limit)
            if it.counters is not None and shape is not None:
                it.counters.reshape(shape)
                kept[_identity(it.limit, shape)] = it.counters
        self._counters = kept

    def sweep(self, now: Moment) -> None:
        for counters in self._counters.values():
            counters.sweep(now)

    def _bind(self, limit: Limit) -> InForce:
        kind: LimitKind = plugs.load("limits", limit.kind)
        shape = kind.shape(limit)
        if shape is None:
            return InForce(limit, kind, None)
        counters = self._counters.get(_identity(limit, shape))
        return InForce(limit, kind, counters or self._make(shape))


def _identity(limit: Limit, shape: Shape) -> tuple[str, str, tuple[str, ...], type]:
    return limit.name, limit.kind, limit.scope, type(shape)


def scope_reader(scope: tuple[str, ...]) -> ScopeOf:
    """Reads a scope's text off a receipt; None where one of its dimensions is unknown."""
    if not scope:
        return lambda receipt: ""
    if len(scope) == 1:
        name = scope[0]
        if name.startswith(ATTRIBUTE):
            return lambda receipt: _value(receipt, name)
        return attrgetter(_FIELDS[name])

    def several(receipt: Receipt) -> str | None:
        values = []
        for name in scope:
            value = _value(receipt, name)
            if value is None:
                return None
            values.append(value)
        return SEPARATOR.join(values)

    return several


def _value(receipt: Receipt, dimension: str) -> str | None:
    if dimension.startswith(ATTRIBUTE):
        return (receipt.attributes or {}).get(dimension.removeprefix(ATTRIBUTE))
    value: str | None = getattr(receipt, _FIELDS[dimension])
    return value


def _may_apply(it: InForce, receipt: Receipt) -> bool:
    """Whether nothing that is fixed for key and route speaks against it."""
    for name, value in it.limit.only:
        if _is_fixed(name) and _value(receipt, name) != value:
            return False
    return all(_value(receipt, name) is not None for name in it.limit.scope if _is_fixed(name))


def _is_fixed(name: str) -> bool:
    return name in _FIXED or name.startswith(ATTRIBUTE)


def memory_counters(shape: Shape) -> Counters:
    raise NotImplementedError
