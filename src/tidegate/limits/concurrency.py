"""concurrency: how many requests at once."""

from collections.abc import Callable

from tidegate.core.limit import GAUGE_RETRY_S, Gauge, Reading, Shape
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.core.words import quoted
from tidegate.limits._kind import Kind
from tidegate.limits._words import excess


class Concurrency(Kind):
    noun = "requests at once"

    def shape(self, limit: Limit) -> Shape:
        return Gauge(limit.amount)

    def used(self, limit: Limit) -> Callable[[Receipt], int | None]:
        return lambda receipt: 0

    def refusal(self, limit: Limit, scope: str, reading: Reading) -> Refusal:
        return Refusal(
            "concurrency_limit_exceeded",
            f"limit {quoted(limit.name)} ({scope}): {reading.used:,} requests are being served, "
            f"and {reading.allowed:,} are allowed at once; try again when one has ended",
            retry_after_s=GAUGE_RETRY_S,
            excess=excess(limit, scope, reading),
        )


plug = Concurrency()
