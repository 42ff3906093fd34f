"""requests: how many requests in a time. A request counts once, however it ends."""

from tidegate.core.limit import Shape
from tidegate.core.plan import Limit
from tidegate.limits._kind import Kind, rate_complaint, rate_shape


class Requests(Kind):
    fields = frozenset({"per_s", "burst"})

    def complaint(self, limit: Limit) -> str | None:
        return rate_complaint(limit)

    def shape(self, limit: Limit) -> Shape:
        return rate_shape(limit)


plug = Requests()
