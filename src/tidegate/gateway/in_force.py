"""Limits in force: each bound to its kind and its counters, and gathered for a caller.

Counters outlive a plan: a limit that keeps its name, kind and scope keeps what it has counted.
"""

from collections.abc import Callable
from math import ceil, inf
from operator import attrgetter

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.limit import (
    ATTRIBUTE,
    CALLER_DIMENSIONS,
    SEPARATOR,
    TARGET_DIMENSIONS,
    Calendar,
    Counters,
    Demand,
    Gauge,
    LimitKind,
    Moment,
    Rolling,
    Shape,
    allowed_at,
    raised_at,
)
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.gateway.shared_limit import SharedLimit

_FIELDS = {**CALLER_DIMENSIONS, **TARGET_DIMENSIONS}
# What is the same for every request of one key on one route.
_FIXED = frozenset({"key", "team", "customer", "route", "environment"})

# What an answer uses of limits that nobody is asked for: it is a request, without tokens and money.
_UNASKED = Receipt("", 0.0, "", "chat", input_tokens=0, output_tokens=0, cost_nanousd=0)

ScopeOf = Callable[[Receipt], str | None]
MakeCounters = Callable[[Shape], Counters]
# What a bucket still has at that time of the monotonic clock, for the headers of an answer.
Left = Callable[[str, float], float]


class InForce:
    """One limit, bound. `counters` are in memory, `shared` where several gateways count together;
    both are None where the kind judges each request by itself.

    At `lapses_s` of the wall clock a raise of it ends.
    """

    __slots__ = (
        *(
            "alerts",
            "amount",
            "counters",
            "give_back",
            "kind",
            "knows",
            "lapses_s",
            "left",
            "limit",
        ),
        *("money", "scope_of", "shape", "shared", "take", "used"),
    )

    def __init__(
        self,
        limit: Limit,
        kind: LimitKind,
        counters: Counters | None,
        shared: SharedLimit | None = None,
    ) -> None:
        self.limit = limit
        self.kind = kind
        self.counters = counters
        self.shared = shared
        self._stand(clock.wall_s())
        self.amount: Callable[[Demand], int] = kind.amount(limit)
        self.used: Callable[[Receipt], int | None] = kind.used(limit)
        self.scope_of = scope_reader(limit.scope)
        self.money = kind.noun == "nanousd"
        self.alerts = limit.on_excess == "alert" and not self.money
        if counters is not None:
            self.take = counters.take
            self.give_back = counters.give_back
        self.left: Left | None = getattr(counters, "left", None)
        self.knows: Callable[[str, Moment], bool] | None = getattr(counters, "knows", None)

    def lapse(self, wall_s: float) -> None:
        """Ends the raises whose time is over, for good: a clock set back brings none again."""
        if wall_s < self.lapses_s:
            return
        self._stand(wall_s)
        if self.counters is not None and self.shape is not None:
            self.counters.reshape(self.shape)

    def place_of(self, at_s: float) -> int | None:
        """The ticket of what a rolling window of money counted at that time of the wall clock."""
        shape = self.shape
        if not isinstance(shape, Rolling):
            return None
        width = ceil(shape.window_s * 1e6 / shape.bins)
        return int(at_s * 1e6) // width * width

    def applies(self, receipt: Receipt) -> bool:
        """Whether the request has the values that `only` asks for."""
        only = self.limit.only
        return not only or all(_value(receipt, name) == value for name, value in only)

    def _stand(self, wall_s: float) -> None:
        standing = tuple(one for one in self.limit.raises if wall_s < one.until_s)
        self.limit = limit = replace(self.limit, raises=standing)
        self.lapses_s = min((one.until_s for one in standing), default=inf)
        shape = self.kind.shape(replace(limit, amount=allowed_at(limit, wall_s)))
        if isinstance(shape, Calendar | Rolling) and standing:
            shape = replace(shape, raised=raised_at(limit, wall_s))
        self.shape = shape
        if self.shared is not None and self.shape is not None:
            self.shared.stand(self.shape)


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


def may_apply(it: InForce, receipt: Receipt) -> bool:
    """Whether nothing that is fixed for key and route speaks against it."""
    for name, value in it.limit.only:
        if is_fixed(name) and _value(receipt, name) != value:
            return False
    return all(_value(receipt, name) is not None for name in it.limit.scope if is_fixed(name))


def counts_unasked(it: InForce) -> bool:
    """Whether an answer counts that nobody is asked for: as a request it does, and as one of those
    that are served at once."""
    return isinstance(it.shape, Gauge) or bool(it.used(_UNASKED))


def is_fixed(name: str) -> bool:
    return name in _FIXED or name.startswith(ATTRIBUTE)
