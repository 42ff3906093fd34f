"""grant: what admission says of a request: it may be asked, or be answered from the cache alone, or
a Refusal."""

from typing import Final

from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.limit import Gauge
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.admit import Admission
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import moment, undo
from tidegate.gateway.in_force import InForce
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.progress import Progress
from tidegate.gateway.shared_hold import drop_shared
from tidegate.gateway.world import World

# What an answer from the cache uses of limits: it is a request, without tokens and money.
_KEPT: Final = Receipt("", 0.0, "", "chat", input_tokens=0, output_tokens=0, cost_nanousd=0)


async def admit(progress: Progress, key: KeyRecord, plan: PreparedPlan, world: World) -> None:
    """Takes the caller's holds, at the dearest price of what may serve it; settle ends them.

    Where its tokens or its money are spent, and its route keeps answers, it may have one of those:
    `cache_only` says why nothing else. Refusal otherwise.
    """
    ask, route, receipt = progress.ask, progress.route, progress.receipt
    assert ask is not None and route is not None  # noqa: S101 - the stages before
    limits = plan.limits
    gate = limits.gate(key, receipt)
    if not gate and not limits.of_target:
        return
    admitted = Admission(ask, receipt, route.bound, plan.plan.assumed_output_tokens)
    progress.admitted = admitted
    if not gate:
        return
    try:
        await admitted.admit(gate, world.past)
    except Refusal as no:
        if not _keeps(route, ask) or not _is_spent(gate, no):
            raise
        await admitted.admit(gate.only(counts_kept), world.past)
        receipt.refused_by, progress.cache_only = None, no


def refuse_rest(progress: Progress) -> None:
    """Refusal of what might only have had a kept answer, and has none; it is no request then."""
    no, admitted = progress.cache_only, progress.admitted
    if no is None:
        return
    if admitted is not None:
        undo(admitted.held, 0, moment())
        drop_shared(admitted.shared)
    progress.receipt.refused_by = None if no.excess is None else no.excess.limit
    progress.cache_only = None
    raise no


def _keeps(route: PreparedRoute, ask: Ask) -> bool:
    """Whether a stage looks for a kept answer to it."""
    if ask.metered is not None:
        return False
    return route.cache is not None or (route.vectors is not None and ask.endpoint == "embeddings")


def counts_kept(it: InForce) -> bool:
    """Whether an answer from the cache counts: as a request it does, and as one of those that are
    served at once."""
    return isinstance(it.shape, Gauge) or bool(it.used(_KEPT))


def _is_spent(gate: Gate, no: Refusal) -> bool:
    """Whether the limit that spoke counts only what is asked of a provider."""
    if no.excess is None:
        return False
    counting = (*(it for it, _ in gate.counts), *gate.shared)
    said = [it for it in counting if it.limit.name == no.excess.limit]
    return bool(said) and not any(counts_kept(it) for it in said)
