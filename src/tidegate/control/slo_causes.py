"""What is behind an objective that burns: where bad requests lost their time, or who failed them.

A request that failed is its provider's or the gateway's, by the closed list. One that was slow is
of the phase that took the most beyond what it takes a good one. What the engine says of itself
tells its queue, its KV cache, its prefill and its decode apart; of a target whose engine says
nothing, the provider is all that can be named.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final, Literal, cast

from msgspec import Struct

from tidegate.core.objective import Objective, turn_bound
from tidegate.core.receipt import Receipt
from tidegate.core.signal import Signal, Value
from tidegate.core.sli import Patience, fell_back, is_left, judged, latencies
from tidegate.core.turn_bound import in_time

CauseName = Literal[
    "queue", "kv", "prefill", "decode", "provider", "retries", "gateway", "answers", "unknown"
]
_Phase = Literal["queue", "retries", "connect", "prefill", "decode", "gateway"]
# From here on a KV cache is full, and requests are put back or wait for it.
_FULL: Final = 0.95
# By what bad requests are told apart from others.
_DIMENSIONS: Final = ("target", "replica", "arm", "release", "model_served", "team", "customer")
_LEAST_BAD: Final = 3
_LEAST_EXCESS: Final = 0.1

Engines = Mapping[str, Sequence[Signal]]


class Cause(Struct, frozen=True):
    """`share` of the bad requests is because of it; `target` is where it is."""

    name: CauseName
    target: str | None
    detail: str
    bad: int
    share: float


class Excess(Struct, frozen=True):
    """A value that bad requests have more often than all: `bad_share` of them, and `share`."""

    dimension: str
    value: str
    bad_share: float
    share: float


class Explained(Struct, frozen=True):
    """Of so many requests that were looked at."""

    judged: int
    bad: int
    causes: tuple[Cause, ...]
    excesses: tuple[Excess, ...]


def explained(
    receipts: Iterable[Receipt], objective: Objective, patience: Patience, engines: Engines
) -> Explained:
    """`engines` are the newest readings by target."""
    good, bad = list[Receipt](), list[Receipt]()
    for receipt in receipts:
        found = is_good(receipt, objective, patience)
        if found is not None:
            (good if found else bad).append(receipt)
    usual = _usual(good, objective)
    counted = Counter(_cause(receipt, objective, usual, engines) for receipt in bad)
    causes = tuple(
        Cause(name, target, detail, count, count / len(bad))
        for (name, target, detail), count in counted.most_common(8)
    )
    return Explained(len(good) + len(bad), len(bad), causes, _excesses(bad, [*good, *bad]))


def is_good(receipt: Receipt, objective: Objective, patience: Patience) -> bool | None:
    """By the objective; None where it does not count."""
    if objective.within_s is None:
        verdicts = cast("Mapping[str, bool]", judged(receipt, patience))
        return verdicts.get(objective.sli)
    times = cast("Mapping[str, float]", latencies(receipt, patience))
    took_s = times.get(objective.sli)
    if took_s is None:
        return None
    bound = turn_bound(objective)
    return took_s <= objective.within_s if bound is None else in_time(receipt, took_s, bound)


def phases(receipt: Receipt) -> dict[_Phase, float]:
    """Seconds of each phase that is known. What was waited for a first token that never came is
    the prefill's."""
    found: dict[_Phase, float | None] = {
        "queue": receipt.queue_s,
        "retries": receipt.earlier_s,
        "connect": receipt.connect_s,
        "prefill": receipt.first_token_s,
        "decode": receipt.generation_s,
        "gateway": receipt.gateway_s,
    }
    if receipt.stream and receipt.first_token_s is None:
        found["prefill"], found["decode"] = receipt.generation_s, None
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def _usual(good: Sequence[Receipt], objective: Objective) -> dict[_Phase, float]:
    """What each phase takes a good request for its size, the median."""
    known: dict[_Phase, list[float]] = {}
    for receipt in good:
        for name, seconds in phases(receipt).items():
            known.setdefault(name, []).append(seconds / _size(name, receipt, objective))
    return {name: median(seconds) for name, seconds in known.items()}


def _size(phase: _Phase, receipt: Receipt, objective: Objective) -> float:
    """By what a phase is compared with that of other requests: by the token where an objective
    grants each its time, else as it is."""
    if phase != "decode" or not objective.per_output_token_s:
        return 1.0
    return max((receipt.output_tokens or 0) + (receipt.reasoning_tokens or 0), 1)


def _cause(
    receipt: Receipt, objective: Objective, usual: Mapping[_Phase, float], engines: Engines
) -> tuple[CauseName, str | None, str]:
    target = receipt.target
    if objective.sli == "validity":
        return "answers", target, receipt.violation_rule or receipt.validity or ""
    if objective.sli == "fallback" and fell_back(receipt):
        return _first_choice(receipt)
    if receipt.error_code is not None and not is_left(receipt):
        if receipt.error_fault == "gateway":
            return "gateway", target, receipt.error_code
        return "provider", target, receipt.error_code
    if receipt.validity in ("interrupted", "duplicate_terminator"):
        return "provider", target, receipt.validity
    slowest = _slowest(receipt, objective, usual)
    return ("unknown", target, "") if slowest is None else (*_of_phase(slowest, target, engines),)


def _first_choice(receipt: Receipt) -> tuple[CauseName, str | None, str]:
    """Why another served it."""
    if receipt.passed_over or not receipt.attempts:
        return "provider", None, "left alone after failures"
    first = receipt.attempts[0]
    return "provider", first.target, first.failure or "failed"


def _slowest(
    receipt: Receipt, objective: Objective, usual: Mapping[_Phase, float]
) -> _Phase | None:
    """The phase that took the most beyond the usual, of those that the objective waits for."""
    found = phases(receipt)
    if objective.sli == "ttft":
        found.pop("decode", None)
    excess = {
        name: seconds - usual.get(name, 0.0) * _size(name, receipt, objective)
        for name, seconds in found.items()
    }
    return max(excess, key=lambda name: excess[name], default=None)


def _of_phase(
    phase: _Phase, target: str | None, engines: Engines
) -> tuple[CauseName, str | None, str]:
    match phase:
        case "queue":
            return "queue", target, "waited for a place at the target"
        case "retries":
            return "retries", target, "earlier attempts and the pauses between"
        case "connect":
            return "provider", target, "connecting"
        case "gateway":
            return "gateway", target, "the gateway's own time"
        case "prefill" | "decode":
            return _of_engine(phase, target, engines.get(target or "", ()))


def _of_engine(
    phase: Literal["prefill", "decode"], target: str | None, readings: Sequence[Signal]
) -> tuple[CauseName, str | None, str]:
    """What its engine says was slow."""
    said = {one.name: one.reading.value for one in readings if isinstance(one.reading, Value)}
    if not said:
        slow = "first token" if phase == "prefill" else "generation"
        return "provider", target, f"{slow}; its engine says nothing of itself"
    usage, preempted = said.get("engine_kv_cache_usage", 0.0), said.get("engine_preemptions", 0.0)
    if usage >= _FULL or preempted > 0:
        return "kv", target, f"KV cache {usage:.0%} in use, {preempted:.2g} preemptions a second"
    waiting, queue_s = said.get("engine_waiting", 0.0), said.get("engine_queue_s", 0.0)
    if phase == "prefill" and (waiting > 0 or queue_s > said.get("engine_prefill_s", queue_s)):
        return "queue", target, f"{waiting:.0f} requests wait at the engine"
    running = said.get("engine_running")
    batch = "" if running is None else f", {running:.0f} requests in the batch"
    return phase, target, f"the engine's {phase}{batch}"


def _excesses(bad: Sequence[Receipt], every: Sequence[Receipt]) -> tuple[Excess, ...]:
    """What bad requests have in common beyond what all have, the most telling first."""
    found = []
    for dimension in _DIMENSIONS:
        of_bad = Counter(getattr(one, dimension) for one in bad)
        of_all = Counter(getattr(one, dimension) for one in every)
        for value, count in of_bad.items():
            bad_share, share = count / len(bad), of_all[value] / len(every)
            telling = count >= _LEAST_BAD and bad_share - share >= _LEAST_EXCESS
            if value is not None and telling:
                found.append(Excess(dimension, value, bad_share, share))
    return tuple(sorted(found, key=lambda one: one.share - one.bad_share)[:6])
