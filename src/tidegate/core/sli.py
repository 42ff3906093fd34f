"""What a request is to each objective: good, bad, or none of its business. By the closed list.

The indicators and what each excludes follow the usual ones of the field in its users' terms: a
fault of the caller's or of a limit is nobody's failure, and a client that leaves is one only where
it had waited for longer than it should have. Latency is no verdict here: it is kept as a histogram,
and counted as good up to the objective's own threshold when somebody asks. Only a turn whose time
grows with its answer is judged when it is counted (`core.turn_bound`).
"""

from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from tidegate.core.ladder import MADE_UP
from tidegate.core.outcome import CODES
from tidegate.core.receipt import Receipt
from tidegate.core.turn_bound import TurnBound

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


class Patience(Struct, frozen=True, omit_defaults=True):
    """Seconds that a client is expected to wait: for a stream's first token, for a whole answer.
    One that leaves earlier says nothing about us. `turn` is its route's objective of turns, by
    which they are judged when they are counted; None where it has none."""

    first_token_s: float = 3.0
    whole_s: float = 30.0
    turn: TurnBound | None = None

    def of_whole_s(self, ceiling_tokens: int | None) -> float:
        """For an answer of which nothing was seen, and that may have been so long."""
        if ceiling_tokens is None or self.turn is None or not self.turn.per_output_token_s:
            return self.whole_s
        return self.turn.most_s(ceiling_tokens)


PATIENCE: Final = Patience()
# A route's, by its name.
OfRoute = Callable[[str], Patience]
_NOT_OURS: Final = frozenset({"caller", "policy"})
# What cut an answer short, and what was wrong with one: integrity and validity.
_CUT: Final = frozenset({"interrupted", "duplicate_terminator"})
_ENDED_BEFORE: Final = frozenset({"route_off", "draining"})
_INVALID: Final = frozenset({"malformed", "schema_violation", "empty"})


def is_left(receipt: Receipt) -> bool:
    """Whether its client went away before the end."""
    return receipt.cancelled_by == "client" or receipt.error_code == "client_closed"


def is_excused(receipt: Receipt) -> bool:
    """Whether its error is the caller's own, or the no of a limit, as is what its ladder said in
    the place of one. A code that is not on the list is as it was written down."""
    if receipt.rung_reason == "budget" and receipt.rung_kind == "batch_only":
        return True
    if receipt.error_code is None:
        return False
    code = CODES.get(receipt.error_code)
    return (receipt.error_fault if code is None else code.fault) in _NOT_OURS


def fell_back(receipt: Receipt) -> bool:
    """Whether another target served it than was its first choice, or a rung of a ladder."""
    attempts = receipt.attempts
    if receipt.rung is not None:
        return True
    return receipt.passed_over or (len(attempts) > 1 and attempts[0].target != receipt.target)


def judged(receipt: Receipt, patience: Patience = PATIENCE) -> dict[Sli, bool]:
    """Whether the request was good, for each indicator that it counts for."""
    if not receipt.is_production:
        return {}
    if is_left(receipt):
        return _judged_left(receipt, patience)
    if receipt.rung_kind in MADE_UP:
        return {} if receipt.rung_reason == "budget" else {"availability": False}
    if receipt.error_code is None:
        return _judged_answer(receipt)
    if is_excused(receipt):
        return {}
    found: dict[Sli, bool] = {"availability": False}
    if _has_begun(receipt):
        found["integrity"] = False
    if receipt.validity in _INVALID:
        found["validity"] = False
    if receipt.priority == "batch":
        found["batch"] = False
    return found


def judged_copy(receipt: Receipt) -> dict[Sli, bool]:
    """Whether what came back for a copy kept to the release's contract: nobody was answered by it,
    so that it counts for nothing else."""
    found: dict[Sli, bool] = {}
    if receipt.validity is not None:
        _judge_validity(receipt, found)
    return found


def is_unsent_copy(receipt: Receipt) -> bool:
    """Whether a copy came to nothing because its release or its gateway ended before it was sent,
    which says nothing of the release."""
    return (
        receipt.arm == "shadow"
        and receipt.error_code in _ENDED_BEFORE
        and receipt.cost_nanousd == 0
    )


def latencies(receipt: Receipt, patience: Patience = PATIENCE) -> dict[LatencySli, float]:
    """Seconds, for each latency that the request counts for.

    A stream that came to nothing after more than `first_token_s` counts with the time that was
    waited in vain, which is the least that its first token would have taken; one that failed at
    once says nothing of latency, nor does an answer that no model has made. A turn includes what
    its application told of its own retrieval and tools.
    """
    found: dict[LatencySli, float] = {}
    total_s = receipt.total_s
    if not receipt.is_production or receipt.rung_kind in MADE_UP:
        return found
    if receipt.ttft_s is not None:
        found["ttft"] = receipt.ttft_s
    elif total_s is not None and _waited_in_vain(receipt, patience):
        found["ttft"] = total_s
    if receipt.error_code is None and total_s is not None:
        found["total_time"] = total_s
        if receipt.endpoint in ("chat", "completions"):
            found["turn_time"] = total_s + (receipt.retrieval_s or 0.0) + (receipt.tool_s or 0.0)
    return found


def _judged_answer(receipt: Receipt) -> dict[Sli, bool]:
    whole = not receipt.interrupted
    found: dict[Sli, bool] = {
        "availability": whole,
        "abandon": True,
        "fallback": not fell_back(receipt),
    }
    if receipt.stream:
        found["integrity"] = whole and receipt.validity not in _CUT
    if receipt.validity is not None:
        _judge_validity(receipt, found)
    if receipt.priority == "batch":
        found["batch"] = whole
    return found


def _judge_validity(receipt: Receipt, found: dict[Sli, bool]) -> None:
    """What ended at its caller's own limit of tokens is neither; at another's, it is no answer."""
    validity = receipt.validity
    cut_by_others = validity == "truncated" and receipt.output_ceiling_tokens is None
    if validity == "valid":
        found["validity"] = True
    elif validity in _INVALID or cut_by_others:
        found["validity"] = False


def _judged_left(receipt: Receipt, patience: Patience) -> dict[Sli, bool]:
    found: dict[Sli, bool] = {"abandon": False}
    if receipt.total_s is not None and receipt.ttft_s is None:
        whole_s = patience.of_whole_s(receipt.output_ceiling_tokens)
        if receipt.total_s > (patience.first_token_s if receipt.stream else whole_s):
            found["availability"] = False
    return found


def _has_begun(receipt: Receipt) -> bool:
    """Whether something of a stream had reached its caller."""
    return receipt.stream and (receipt.interrupted or receipt.ttft_s is not None)


def _waited_in_vain(receipt: Receipt, patience: Patience) -> bool:
    if not receipt.stream or receipt.error_code is None or receipt.total_s is None:
        return False
    ours = is_left(receipt) or not is_excused(receipt)
    return ours and receipt.total_s > patience.first_token_s
