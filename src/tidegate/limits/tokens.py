"""tokens: how many tokens in a time. The worst case is held, what was used is counted."""

from collections.abc import Callable
from math import ceil

from tidegate.core.limit import Demand, Shape
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.limits._kind import Kind, rate_complaint, rate_shape
from tidegate.limits._tokens import input_tokens, output_tokens, total_tokens


class Tokens(Kind):
    noun = "tokens"
    fields = frozenset({"per_s", "burst", "count", "cached_weight"})

    def complaint(self, limit: Limit) -> str | None:
        if not 0 <= limit.cached_weight <= 1:
            return "`cached_weight` must be from 0 to 1"
        if limit.count == "output" and limit.cached_weight != 1:
            return "output is never read from a cache; remove `cached_weight`"
        return rate_complaint(limit)

    def shape(self, limit: Limit) -> Shape:
        return rate_shape(limit)

    def amount(self, limit: Limit) -> Callable[[Demand], int]:
        match limit.count:
            case "input":
                return lambda demand: demand.input_tokens
            case "output":
                return lambda demand: demand.output_tokens * demand.choices
        return lambda demand: demand.input_tokens + demand.output_tokens * demand.choices

    def used(self, limit: Limit) -> Callable[[Receipt], int | None]:
        weight = limit.cached_weight

        def weighed(receipt: Receipt) -> int | None:
            if receipt.input_tokens is None:
                return None
            read = receipt.cache_read_tokens or 0
            written = receipt.cache_write_tokens or 0
            return receipt.input_tokens + written + ceil(read * weight)

        if limit.count == "output":
            return output_tokens
        if limit.count == "input":
            return input_tokens if weight == 1 else weighed

        def total(receipt: Receipt) -> int | None:
            read, written = weighed(receipt), output_tokens(receipt)
            return None if read is None or written is None else read + written

        return total_tokens if weight == 1 else total


plug = Tokens()
