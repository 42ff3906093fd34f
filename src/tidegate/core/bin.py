"""Bins: what receipts of one minute, route, arm, release and target add up to. Two are merged by
adding, so that whoever wants less detail adds them up, and no figure is an average of averages.

A request is of the minute in which it ended. An empty name stands for one that a receipt lacks.
"""

from typing import Final, NamedTuple

from msgspec import Struct, field

from tidegate.core.sli import LATENCIES, SLIS

MINUTE_S: Final = 60
TOKEN_CLASSES: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
# In this order; more are added at the end only. `tokens_unknown` and `cost_unknown` count requests
# that were sent on and of which nobody knows the tokens, or the cost; `turn_time_*`, turns that
# were judged by the objective which their route had then. The last four are of providers' prefix
# caches: the input of requests that told what of it was there, requests that did not tell, what was
# saved (below 0 where it cost), and requests of which that is unknown.
COUNTS: Final = (
    "requests",
    "failed",
    "interrupted",
    "refused",
    "truncated",
    *TOKEN_CLASSES,
    "tokens_unknown",
    "cost_nanousd",
    "cost_unknown",
    *(f"{sli}_{verdict}" for sli in SLIS for verdict in ("good", "bad")),
    "turn_time_good",
    "turn_time_bad",
    "prefix_told_tokens",
    "prefix_untold",
    "prefix_saved_nanousd",
    "prefix_saved_unknown",
)
# What is kept as a histogram: seconds, and tokens of an answer.
HISTOGRAMS: Final = (*LATENCIES, "itl", "output_tokens")
# What is summed up by unit of assignment: its share of failures and its means.
BY_UNIT: Final = ("failed", "ttft", "output_tokens", "cost_nanousd")


class BinKey(NamedTuple):
    """Whose a bin is. `minute_s` is the wall-clock second at which its minute begins."""

    minute_s: int
    route: str
    arm: str
    release: str
    target: str


class Bin(Struct):
    """`counts` are in the order of `COUNTS`, `histograms` by their name (bucket of
    `stats.histogram`: values). `callers` are requests, failures and nano-dollars by (team,
    customer, key), `codes` errors by their code. `units` have, by the unit's place, the number and
    the sum of each of `BY_UNIT`. The last three are bounded: what goes beyond is counted under
    `OTHERS`, and of units not at all.
    """

    counts: list[int] = field(default_factory=lambda: [0] * len(COUNTS))
    histograms: dict[str, dict[int, int]] = field(default_factory=dict)
    callers: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    units: dict[int, list[float]] = field(default_factory=dict)


OTHERS: Final = "(others)"
