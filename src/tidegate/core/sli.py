"""What a request is to each objective: good, bad, or none of its business. By the closed list.

Latency is no verdict here: it is kept as a histogram, and counted as good up to the objective's
own threshold when somebody asks.
"""

from typing import Final, Literal

from tidegate.core.receipt import Receipt

Sli = Literal["availability", "integrity", "validity", "fallback", "abandon", "batch"]
LatencySli = Literal["ttft", "turn_time", "total_time"]
SLIS: Final[tuple[Sli, ...]] = (
    "availability",
    "integrity",
    "validity",
    "fallback",
    "abandon",
    "batch",
)
LATENCIES: Final[tuple[LatencySli, ...]] = ("ttft", "turn_time", "total_time")


def judged(receipt: Receipt) -> dict[Sli, bool]:
    """Whether the request was good, for each indicator that it counts for."""
    found: dict[Sli, bool] = {}
    if receipt.error_fault in ("caller", "policy") or receipt.cancelled_by == "client":
        return found
    found["availability"] = receipt.error_code is None
    return found


def latencies(receipt: Receipt) -> dict[LatencySli, float]:
    """Seconds, for each latency that the request counts for."""
    found: dict[LatencySli, float] = {}
    if receipt.ttft_s is not None:
        found["ttft"] = receipt.ttft_s
    if receipt.error_code is None and receipt.total_s is not None:
        found["total_time"] = receipt.total_s
    return found
