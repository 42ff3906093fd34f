"""session: how many tokens, read and written, a session may use in a time."""

from collections.abc import Callable

from tidegate.core.limit import Demand, Reading, Rolling, Shape
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.limits._kind import Kind, window_complaint
from tidegate.limits._tokens import total_tokens
from tidegate.limits._words import full

WINDOW_S = 300.0


class Session(Kind):
    """Where it only alerts nothing is held, so that nothing is refused: what was used counts."""

    noun = "tokens"
    code = "session_limit_exceeded"
    fields = frozenset({"per_s", "on_excess"})

    def complaint(self, limit: Limit) -> str | None:
        if limit.on_excess == "cap":
            return "it cannot cap; write `on_excess: alert` or `on_excess: refuse`"
        return window_complaint(limit, frozenset({"session"}), "`session`")

    def shape(self, limit: Limit) -> Shape:
        return Rolling(limit.amount, limit.per_s or WINDOW_S)

    def amount(self, limit: Limit) -> Callable[[Demand], int]:
        if limit.on_excess == "alert":
            return lambda demand: 0
        return lambda demand: demand.input_tokens + demand.output_tokens * demand.choices

    def used(self, limit: Limit) -> Callable[[Receipt], int | None]:
        return total_tokens

    def refusal(self, limit: Limit, scope: str, reading: Reading) -> Refusal:
        return full(self.code, limit, scope, reading, "tokens of the session")


plug = Session()
