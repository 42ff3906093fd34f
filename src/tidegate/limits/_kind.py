"""What kinds of limits have in common."""

from collections.abc import Callable

from tidegate.core.limit import Bucket, Demand, Reading, Rolling, Shape
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.limits import _words

DAY_S = 86_400.0


class Kind:
    """A kind that counts one for each request; others say what is different."""

    noun = "requests"
    code = "rate_limit_exceeded"
    fields: frozenset[str] = frozenset()

    def complaint(self, limit: Limit) -> str | None:
        return too_small(limit)

    def shape(self, limit: Limit) -> Shape | None:
        return None

    def check(self, limit: Limit, demand: Demand) -> None:
        return None

    def amount(self, limit: Limit) -> Callable[[Demand], int]:
        return lambda demand: 1

    def used(self, limit: Limit) -> Callable[[Receipt], int | None]:
        return lambda receipt: 1

    def refusal(self, limit: Limit, scope: str, reading: Reading) -> Refusal:
        return _words.full(self.code, limit, scope, reading, self.noun)


class Judge(Kind):
    """A kind that judges each request by itself and counts nothing."""

    def complaint(self, limit: Limit) -> str | None:
        if limit.scope:
            return (
                "it judges each request by itself, so nothing has a counter of its own; remove "
                "`scope`, and write `only:` for the requests that it is to hold for"
            )
        return too_small(limit)

    def amount(self, limit: Limit) -> Callable[[Demand], int]:
        return lambda demand: 0

    def used(self, limit: Limit) -> Callable[[Receipt], int | None]:
        return lambda receipt: 0


def too_small(limit: Limit) -> str | None:
    return "it allows nothing; write an `amount` of at least 1" if limit.amount < 1 else None


def rate_complaint(limit: Limit) -> str | None:
    """What is wrong with an amount in a time."""
    if limit.per_s is None:
        return "in what time is missing; write `per:` with second, minute, day or a duration"
    if limit.per_s <= 0:
        return "`per` must be more than nothing"
    if limit.burst is not None and limit.burst < 1:
        return "a `burst` below 1 allows nothing"
    if limit.burst is not None and limit.per_s >= DAY_S:
        return "a day or more is counted as it rolls on and has no `burst`; remove it"
    return too_small(limit)


def rate_shape(limit: Limit) -> Shape:
    """A bucket; for a day or more a rolling window, which lets nobody have two days' worth."""
    per_s = limit.per_s or 1.0
    if per_s >= DAY_S:
        return Rolling(limit.amount, per_s)
    return Bucket(limit.amount / per_s, limit.burst or limit.amount)


def window_complaint(limit: Limit, dimensions: frozenset[str], words: str) -> str | None:
    """What is wrong with a rolling window that belongs to one of these dimensions."""
    if not dimensions & set(limit.scope):
        return f"it counts by {words}; add it to `scope`"
    if limit.per_s is not None and limit.per_s <= 0:
        return "`per` must be more than nothing"
    return too_small(limit)
