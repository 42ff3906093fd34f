"""What one request says of each harm metric that is a share: judged or not, bad or not, in bits.

The bit of a metric says that the request is judged by it, the same bit `BAD` higher that it was
bad. So a block counts requests by their marks, and metrics only when it closes.
"""

from typing import Final

from tidegate.core.ladder import BEFORE, MADE_UP
from tidegate.core.receipt import Receipt
from tidegate.core.sli import fell_back

SHARES: Final = (
    *("error", "refusal", "invalid", "interrupted", "truncated", "fallback", "abandon"),
    *("ttft", "total_time", "itl"),
    *("ttft_body", "total_time_body", "itl_body"),
)
ERROR, REFUSAL, INVALID, INTERRUPTED, TRUNCATED = 1, 2, 4, 8, 16
FALLBACK, ABANDON, TTFT, TOTAL_TIME, ITL = 32, 64, 128, 256, 512
TTFT_BODY, TOTAL_TIME_BODY, ITL_BODY = 1024, 2048, 4096
# A latency that is a metric's by its slowest requests, by those slower than most.
BODY: Final = {"ttft": "ttft_body", "total_time": "total_time_body", "itl": "itl_body"}
BAD: Final = 16
# A request with one of these has failed in a way that needs no statistics to be one.
PLAINLY_BAD: Final = (ERROR | INVALID | INTERRUPTED) << BAD
ANSWERED: Final = ERROR | INVALID | INTERRUPTED | TRUNCATED | FALLBACK | ABANDON
_FAILED: Final = (ERROR | INTERRUPTED | ABANDON) | ERROR << BAD
_LEFT: Final = ABANDON | ABANDON << BAD
_BROKEN: Final = frozenset({"malformed", "schema_violation", "empty", "duplicate_terminator"})
_NOT_THE_ARMS: Final = frozenset({"caller", "policy"})


def marks_of(receipt: Receipt) -> int:
    """0 of what is the caller's own fault, and of what was put on a rung of its route's ladder
    before anybody was asked: neither is any release's doing. Latencies are the fold's to add."""
    if receipt.rung_reason in BEFORE:
        return 0
    if receipt.rung_kind in MADE_UP:
        return _FAILED  # what was asked came to nothing
    if receipt.cancelled_by == "client":
        found = _LEFT
    elif receipt.error_code is None:
        found = ANSWERED
        if receipt.finish_reason == "length":
            found |= TRUNCATED << BAD
        if fell_back(receipt):
            found |= FALLBACK << BAD
    elif receipt.error_fault in _NOT_THE_ARMS:
        found = 0
    else:
        found = _FAILED
    if receipt.interrupted and found & INTERRUPTED:
        found |= INTERRUPTED << BAD
    if receipt.validity in _BROKEN and found:
        found |= INVALID | INVALID << BAD
    refusal = receipt.model_refusal
    if refusal is not None:
        found |= REFUSAL if refusal == "none" else REFUSAL | REFUSAL << BAD
    return found
