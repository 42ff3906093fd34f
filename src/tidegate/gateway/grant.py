"""grant: what admission says of a request: it may be asked, or be answered from the cache alone, or
a Refusal."""

from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.gateway.admit import Admission
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import moment, undo
from tidegate.gateway.in_force import counts_unasked
from tidegate.gateway.lowering import admit_lower, lower
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.progress import Progress
from tidegate.gateway.shared_hold import drop_shared
from tidegate.gateway.world import World


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
    climb, held = progress.climb, gate
    if climb is not None and climb.step is not None:
        sure = climb.otherwise or climb.step
        ask, route, climb.paid = sure.ask, sure.route, sure.rung.asks
        held = gate if climb.paid else gate.only(counts_unasked)
    admitted = Admission(ask, receipt, route.bound, plan.plan.assumed_output_tokens)
    progress.admitted = admitted
    if not gate:
        return
    try:
        await admitted.admit(held, world.past)
        if climb is not None and climb.paid:
            await lower(progress, plan, world)
    except Refusal as no:
        if climb is not None and await admit_lower(progress, gate, no, plan, world):
            return
        if not _keeps(route, ask) or not _is_spent(gate, no):
            raise
        await admitted.admit(gate.only(counts_unasked), world.past)
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


def _is_spent(gate: Gate, no: Refusal) -> bool:
    """Whether the limit that spoke counts only what is asked of a provider."""
    if no.excess is None:
        return False
    counting = (*(it for it, _ in gate.counts), *gate.shared)
    said = [it for it in counting if it.limit.name == no.excess.limit]
    return bool(said) and not any(counts_unasked(it) for it in said)
