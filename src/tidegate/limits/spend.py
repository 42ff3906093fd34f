"""spend: how much money in a period of the calendar, or in a time that rolls on. A budget.

What costs nothing is served even when all of it is spent. A soft budget holds nothing and so
refuses nothing: what was spent counts.
"""

from collections.abc import Callable

from tidegate.core.limit import SUMMED_UP, Calendar, Demand, Reading, Rolling, Shape
from tidegate.core.outcome import Refusal
from tidegate.core.periods import time_zone_complaint
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.core.units import format_usd
from tidegate.core.words import quoted
from tidegate.limits._kind import Kind, too_small
from tidegate.limits._words import duration, excess


class Spend(Kind):
    noun = "nanousd"
    code = "insufficient_quota"
    fields = frozenset({"per_s", "unit", "time_zone", "on_excess", "alert_percents"})

    def complaint(self, limit: Limit) -> str | None:
        if (limit.unit is None) == (limit.per_s is None):
            return "write one of the two in `per:`: a period such as month, or a duration"
        if limit.per_s is not None and limit.per_s <= 0:
            return "`per` must be more than nothing"
        if limit.on_excess == "cap":
            return "money is not capped; write `hard: true` or `hard: false`"
        if wrong := time_zone_complaint(limit.time_zone):
            return f"`time_zone` {quoted(limit.time_zone)} {wrong}"
        names = (*limit.scope, *(name for name, _ in limit.only))
        lost = [name for name in names if name not in SUMMED_UP]
        if limit.unit == "lifetime" and lost:
            return (
                f"what was spent by {lost[0]} is known only as long as receipts are kept; write a "
                "month or a duration in `per:`"
            )
        return too_small(limit)

    def shape(self, limit: Limit) -> Shape:
        if limit.unit is not None:
            return Calendar(limit.amount, limit.unit, limit.time_zone)
        return Rolling(limit.amount, limit.per_s or 1.0, wall=True)

    def amount(self, limit: Limit) -> Callable[[Demand], int]:
        if limit.on_excess == "alert":
            return lambda demand: 0
        return lambda demand: demand.cost_nanousd or 0

    def used(self, limit: Limit) -> Callable[[Receipt], int | None]:
        return _spent

    def refusal(self, limit: Limit, scope: str, reading: Reading) -> Refusal:
        lifetime = limit.unit == "lifetime"
        per = f" this {limit.unit}" if limit.unit else f" in {duration(limit.per_s or 1.0)}"
        per = " in all" if lifetime else per
        words = (
            f"budget {quoted(limit.name)} ({scope}): ${format_usd(reading.used)} of "
            f"${format_usd(reading.allowed)}{per} are spent or held, and this request may cost "
            "more than "
        )
        if lifetime:
            words += "is left; it is not given anew"
        elif reading.retry_s is None:
            words += "all of it; waiting alone does not help: make the request smaller"
        else:
            words += f"is left; try again in {duration(reading.retry_s)}"
        said = excess(limit, scope, reading)
        retry_s = None if lifetime else reading.retry_s
        return Refusal(self.code, words, retry_after_s=retry_s, excess=said)


def _spent(receipt: Receipt) -> int | None:
    """The cost; while nobody knows it, the most that it can be."""
    return receipt.most_nanousd if receipt.cost_nanousd is None else receipt.cost_nanousd


plug = Spend()
