"""turns: how many calls one session or trace may make in a time, against agents that run on."""

from tidegate.core.limit import Rolling, Shape
from tidegate.core.plan import Limit
from tidegate.limits._kind import Kind, window_complaint

WINDOW_S = 3600.0


class Turns(Kind):
    noun = "calls"
    code = "turn_limit_exceeded"
    fields = frozenset({"per_s"})

    def complaint(self, limit: Limit) -> str | None:
        return window_complaint(limit, frozenset({"session", "trace"}), "`session` or `trace`")

    def shape(self, limit: Limit) -> Shape:
        return Rolling(limit.amount, limit.per_s or WINDOW_S)


plug = Turns()
