"""The limits that can apply to one key on one route, laid out so that passing them costs little."""

from collections.abc import Collection
from copy import copy
from typing import NamedTuple

from tidegate.core.limit import Bucket
from tidegate.core.receipt import Receipt
from tidegate.gateway.in_force import InForce, Left, is_fixed, may_apply

# A limit that counts, and its scope where that is the same for every request.
Counted = tuple[InForce, str | None]


class Rate(NamedTuple):
    """A rate that an answer's headers may tell."""

    noun: str
    by: InForce
    scope: str | None
    left: Left
    shape: Bucket


class Gate:
    """`judges` look at a request by itself; `counts` hold in memory, `shared` hold in the store
    that several gateways share. `money` are budgets, `told` those of `counts` that an answer's
    headers tell, by what they count. `prompts` and `sessions` say that a limit tells those apart.
    """

    __slots__ = ("counts", "judges", "money", "prompts", "sessions", "shared", "told")

    def __init__(self, limits: tuple[InForce, ...], receipt: Receipt | None = None) -> None:
        """For requests like this one; without one, for any."""
        if receipt is not None:
            limits = tuple(it for it in limits if may_apply(it, receipt))
        self.judges = tuple(it for it in limits if it.counters is None and it.shared is None)
        self.counts: tuple[Counted, ...] = tuple(
            (it, _fixed_scope(it, receipt)) for it in limits if it.counters is not None
        )
        self.shared = tuple(it for it in limits if it.shared is not None)
        holding = tuple(it for it, _ in self.counts) + self.shared
        self.prompts = any("prompt" in it.limit.scope for it in holding)
        self.sessions = any("session" in it.limit.scope for it in holding)
        self.money = tuple(it for it in limits if it.money)
        rates = [
            Rate(it.kind.noun, it, fixed, it.left, it.shape)
            for it, fixed in self.counts
            if it.left is not None and isinstance(it.shape, Bucket)
        ]
        self.told = [
            (noun.encode(), of_noun)
            for noun in ("requests", "tokens")
            if (of_noun := [rate for rate in rates if rate.noun == noun])
        ]

    def __bool__(self) -> bool:
        return bool(self.counts or self.judges or self.shared)

    def without(self, left_out: Collection[InForce]) -> "Gate":
        """The gate as it is when these do not count."""
        if not left_out:
            return self
        other = copy(self)
        other.counts = tuple(one for one in self.counts if one[0] not in left_out)
        other.money = tuple(it for it in self.money if it not in left_out)
        return other

    def wanted(self, it: InForce, receipt: Receipt) -> str | None:
        """The scope in which the limit counts this request; None when it does not apply."""
        return it.scope_of(receipt) if it.applies(receipt) else None


def _fixed_scope(it: InForce, receipt: Receipt | None) -> str | None:
    names = (*it.limit.scope, *(name for name, _ in it.limit.only))
    if receipt is None or not all(is_fixed(name) for name in names):
        return None
    return it.scope_of(receipt)
