"""tool_depth: how many rounds of tool calls may follow one message of the user."""

from tidegate.core.ask import content_name
from tidegate.core.limit import Demand
from tidegate.core.plan import Limit
from tidegate.limits._kind import Judge
from tidegate.limits._words import judged
from tidegate.text.rounds import rounds


class ToolDepth(Judge):
    noun = "rounds of tool calls"

    def check(self, limit: Limit, demand: Demand) -> None:
        depth = rounds(demand.ask)
        if depth > limit.amount:
            raise judged(
                "turn_limit_exceeded",
                limit,
                depth,
                f"the conversation has {depth:,} rounds of tool calls since the user's last "
                f"message, and {limit.amount:,} are allowed; ask the user, waiting does not help",
                content_name(demand.ask),
            )


plug = ToolDepth()
