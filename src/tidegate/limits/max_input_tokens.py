"""max_input_tokens: how long one request's input may be."""

from tidegate.core.ask import content_name
from tidegate.core.limit import Demand
from tidegate.core.plan import Limit
from tidegate.limits._kind import Judge
from tidegate.limits._words import judged


class MaxInputTokens(Judge):
    noun = "tokens"

    def check(self, limit: Limit, demand: Demand) -> None:
        if demand.input_tokens <= limit.amount:
            return
        counted = "has" if demand.input_exact else "has by its length up to"
        raise judged(
            "input_too_long",
            limit,
            demand.input_tokens,
            f"the input {counted} {demand.input_tokens:,} tokens, and {limit.amount:,} are "
            "allowed; send a shorter one, waiting does not help",
            content_name(demand.ask),
        )


plug = MaxInputTokens()
