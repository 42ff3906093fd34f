"""Limits in force: each bound to its kind and its counters, and gathered for a caller.

Counters outlive a plan: a limit that keeps its name, kind and scope keeps what it has counted.
"""

from collections.abc import Callable
from math import inf
from operator import attrgetter
from typing import Protocol

from msgspec.structs import replace

from tidegate.core import clock, plugs
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
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
    allowed_at,
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
    """One limit, bound. `counters` is None where the kind judges each request by itself.

    At `lapses_s` of the wall clock a raise of it ends.
    """

    __slots__ = (
        *("amount", "counters", "kind", "lapses_s", "limit", "money", "scope_of", "shape"),
        "used",
    )

    def __init__(self, limit: Limit, kind: LimitKind, counters: Counters | None) -> None:
        self.limit = limit
        self.kind = kind
        self.counters = counters
        self._stand(clock.wall_s())
        self.amount: Callable[[Demand], int] = kind.amount(limit)
        self.used: Callable[[Receipt], int | None] = kind.used(limit)
        self.scope_of = scope_reader(limit.scope)
        self.money = kind.noun == "nanousd"

    def lapse(self, wall_s: float) -> None:
        """Ends the raises whose time is over, for good: a clock set back brings none again."""
        if wall_s < self.lapses_s:
            return
        self._stand(wall_s)
        if self.counters is not None and self.shape is not None:
            self.counters.reshape(self.shape)

    def applies(self, receipt: Receipt) -> bool:
        """Whether the request has the values that `only` asks for."""
        only = self.limit.only
        return not only or all(_value(receipt, name) == value for name, value in only)

    def _stand(self, wall_s: float) -> None:
        standing = tuple(one for one in self.limit.raises if wall_s < one.until_s)
        self.limit = limit = replace(self.limit, raises=standing)
        self.lapses_s = min((one.until_s for one in standing), default=inf)
        self.shape = self.kind.shape(replace(limit, amount=allowed_at(limit, wall_s)))


class Own(Protocol):
    """What binds the limits that keys bring with them, whatever the plan."""

    def of(self, limits: KeyLimits) -> tuple[InForce, ...]:
        """Refusal when no more can be counted."""

    def sweep(self, now: Moment) -> bool:
        """Whether a limit was let go: what `of` gave is to be asked for anew."""


class Bound:
    """Every limit of one plan, and the counters that the next plan takes over."""

    def __init__(self, limits: tuple[InForce, ...], own: Own) -> None:
        self._own = own
        self.of_caller = tuple(it for it in limits if not of_target(it.limit))
        self.of_target = tuple(it for it in limits if of_target(it.limit))
        self._gates: dict[tuple[str, str], tuple[KeyRecord, tuple[InForce, ...]]] = {}

    def gate(self, key: KeyRecord, receipt: Receipt) -> tuple[InForce, ...]:
        """The caller-scoped limits that can apply to this key on this route."""
        if not self.of_caller and key.limits is None:
            return ()
        place = (key.id, receipt.route or "")
        kept = self._gates.get(place)
        if kept is not None and kept[0] is key:
            return kept[1]
        gate = self.of_key(key) + tuple(it for it in self.of_caller if _may_apply(it, receipt))
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
    """Binds the limits of one plan after another."""

    def __init__(self, make: MakeCounters, own: Own) -> None:
        self._make = make
        self._own = own
        self._bound = Bound((), own)
        self._counters: dict[tuple[str, str, tuple[str, ...], type], Counters] = {}

    def bind(self, plan: Plan) -> Bound:
        """The plan's limits, not yet in force. PlugError for a kind that does not load."""
        return Bound(tuple(self._bind(limit) for limit in plan.limits), self._own)

    def adopt(self, bound: Bound) -> None:
        """These are in force now: what they count goes on, what no limit counts is forgotten."""
        kept = {}
        self._bound = bound
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
