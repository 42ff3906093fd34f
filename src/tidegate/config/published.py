"""Published prices, of which the table is read when the first is asked for.

Reading it takes longer than most of a start, and a plan that names its prices needs none.
"""

from tidegate.core import plugs
from tidegate.core.facts import PriceOf, Quote


def published(now_s: float) -> PriceOf:
    """What is asked for a model at `now_s` (wall-clock seconds)."""
    read: list[PriceOf] = []

    def quote(dialect: str, base_url: str, model: str) -> Quote:
        if not read:
            read.append(plugs.load("config", "prices")(now_s).quote)
        return read[0](dialect, base_url, model)

    return quote
