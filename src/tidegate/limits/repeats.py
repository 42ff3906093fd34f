"""repeats: how often nearly the same prompt may come in a time, against agents that go in circles.

Each prompt has a counter of its own, by its fingerprint. Another prompt in between does not begin
the count anew: an agent that takes turns between two prompts goes in circles too.
"""

from tidegate.core.limit import Reading, Rolling, Shape
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.limits._kind import Kind, window_complaint
from tidegate.limits._words import full

WINDOW_S = 300.0


class Repeats(Kind):
    noun = "like prompts"
    code = "turn_limit_exceeded"
    fields = frozenset({"per_s"})

    def complaint(self, limit: Limit) -> str | None:
        if len(limit.scope) < 2:
            return "whose prompts are compared is missing; write `scope: [session, prompt]`"
        return window_complaint(limit, frozenset({"prompt"}), "`prompt`")

    def shape(self, limit: Limit) -> Shape:
        return Rolling(limit.amount, limit.per_s or WINDOW_S)

    def refusal(self, limit: Limit, scope: str, reading: Reading) -> Refusal:
        return full(self.code, limit, scope, reading, "prompts that are nearly the same")


plug = Repeats()
