"""max_output_tokens: how long one choice's output may be. It caps, or refuses who asks for more."""

from tidegate.core.limit import Demand
from tidegate.core.plan import Limit
from tidegate.limits._kind import Judge
from tidegate.limits._words import judged


class MaxOutputTokens(Judge):
    noun = "tokens"
    fields = frozenset({"on_excess"})

    def complaint(self, limit: Limit) -> str | None:
        if limit.on_excess == "alert":
            return "it cannot alert; write `on_excess: cap` or `on_excess: refuse`"
        return super().complaint(limit)

    def check(self, limit: Limit, demand: Demand) -> None:
        asked = demand.ask.output_ceiling_tokens
        if asked is None:
            # Who named no ceiling is served up to ours, which the provider has to be told.
            demand.bound_told = demand.choices > 0
        elif asked > limit.amount and limit.on_excess == "refuse":
            raise judged(
                "output_too_long",
                limit,
                asked,
                f"up to {asked:,} output tokens are asked for, and {limit.amount:,} are allowed; "
                "lower `max_tokens`, waiting does not help",
                "max_tokens",
            )
        demand.output_tokens = min(demand.output_tokens, limit.amount)


plug = MaxOutputTokens()
