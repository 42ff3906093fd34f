"""The limits that can apply to one key on one route, laid out so that passing them costs little."""

from collections.abc import Callable, Collection
from copy import copy
from typing import NamedTuple

from tidegate.core.limit import Bucket, Moment, Rolling
from tidegate.core.receipt import Receipt
from tidegate.gateway.in_force import InForce, Left, is_fixed, may_apply

# A limit that counts, and its scope where that is the same for every request.
Counted = tuple[InForce, str | None]


# One budget for one request, as `Past.learn` is asked for it.
Wanted = list[tuple[InForce, str, int]]


class Rate(NamedTuple):
    """A rate that an answer's headers may tell: at most `most`, flowing back at `per_s`; a window
    that rolls on, which flows back as it was used, has 0. `told` and `resets` are what of them is
    the same each time: the text before what remains, and before when it resets."""

    noun: str
    by: InForce
    scope: str | None
    left: Left
    most: int
    per_s: float
    told: bytes
    resets: bytes


class Budget(NamedTuple):
    """A budget counted in memory. `knows` says whether its past is counted for a scope."""

    by: InForce
    scope: str | None
    knows: Callable[[str, Moment], bool]


class Gate:
    """`judges` look at a request by itself; `counts` hold in memory, `shared` hold in the store
    that several gateways share. `money` are budgets, `budgets` those of them in memory whose past
    is in the ledger; `told` those of `counts` that an answer's headers tell, by what they count.
    `prompts` and `sessions` say that a limit tells those apart.
    """

    __slots__ = ("budgets", "counts", "judges", "money", "prompts", "sessions", "shared", "told")

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
        self.budgets = tuple(
            Budget(it, fixed, it.knows)
            for it, fixed in self.counts
            if it.money and it.knows is not None
        )
        rates = [rate for it, fixed in self.counts if (rate := _rate(it, fixed)) is not None]
        self.told = [
            of_noun for noun in ("requests", "tokens") if (of_noun := _told_of(noun, rates))
        ]

    def __bool__(self) -> bool:
        return bool(self.counts or self.judges or self.shared)

    def unknown(self, receipt: Receipt, now: Moment) -> Wanted:
        """The budgets of this request of whose past nothing is counted yet."""
        unknown: Wanted = []
        for it, fixed, knows in self.budgets:
            scope = self.wanted(it, receipt) if fixed is None else fixed
            if scope is not None and not knows(scope, now):
                unknown.append((it, scope, 0))
        return unknown

    def without(self, left_out: Collection[InForce]) -> "Gate":
        """The gate as it is when these do not count."""
        if not left_out:
            return self
        other = copy(self)
        other.counts = tuple(one for one in self.counts if one[0] not in left_out)
        other.money = tuple(it for it in self.money if it not in left_out)
        return other

    def only(self, wanted: Callable[[InForce], bool]) -> "Gate":
        """The gate of those of its limits that count this way; what it tells stays told."""
        other = copy(self)
        other.judges = other.money = ()
        other.budgets = ()
        other.counts = tuple(one for one in self.counts if wanted(one[0]))
        other.shared = tuple(it for it in self.shared if wanted(it))
        return other

    def wanted(self, it: InForce, receipt: Receipt) -> str | None:
        """The scope in which the limit counts this request; None when it does not apply."""
        return it.scope_of(receipt) if it.applies(receipt) else None


def _rate(it: InForce, fixed: str | None) -> Rate | None:
    if it.left is None or it.alerts:
        return None
    noun, shape = it.kind.noun, it.shape
    if isinstance(shape, Bucket):
        most, per_s = shape.burst, shape.rate_per_s
    elif isinstance(shape, Rolling) and not shape.wall:
        most, per_s = shape.allowed, 0.0
    else:
        return None
    told = f"x-ratelimit-limit-{noun}: {most}\r\nx-ratelimit-remaining-{noun}: "
    resets = f"\r\nx-ratelimit-reset-{noun}: "
    return Rate(noun, it, fixed, it.left, most, per_s, told.encode(), resets.encode())


def _told_of(noun: str, rates: list[Rate]) -> list[Rate]:
    """Those that flow back evenly; where there is none, those that roll on, as a day's do."""
    of_noun = [rate for rate in rates if rate.noun == noun]
    return [rate for rate in of_noun if rate.per_s] or of_noun


def _fixed_scope(it: InForce, receipt: Receipt | None) -> str | None:
    names = (*it.limit.scope, *(name for name, _ in it.limit.only))
    if receipt is None or not all(is_fixed(name) for name in names):
        return None
    return it.scope_of(receipt)
