"""lowering: where on its route's ladder a request begins, before anybody is asked: as a change in
force has it, for want of memory or processor, or by what is left of its budgets.

A rung that may turn out to have nothing to give, a kept answer or somebody to hand over to, is
tried before the next one, for which money is held meanwhile.
"""

from contextlib import suppress
from typing import Final

from tidegate.core.ladder import RungReason
from tidegate.core.limit import Reading
from tidegate.core.outcome import Refusal
from tidegate.core.priority import rank
from tidegate.gateway.able import able
from tidegate.gateway.admit import Admission
from tidegate.gateway.climbing import Climbing, Step, derive
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import counts_unasked
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedRung
from tidegate.gateway.progress import Progress
from tidegate.gateway.resolve import OFF_RETRY_S
from tidegate.gateway.shared_hold import Wanting, read_shared
from tidegate.gateway.world import World

_BATCH: Final = "batch"
# What may turn out to have nothing to give.
_UNSURE: Final = frozenset({"stale", "handover"})
_NOTHING: Final = "that model is not asked for now, and nothing stands in for its answer"
_BUDGET: Final[tuple[RungReason, ...]] = ("budget",)
# Says no where nobody knows what is left.
_UNKNOWN: Final = "limits_unavailable"


def begin(progress: Progress, world: World) -> None:
    """Where it begins as things stand. Refusal where requests of its priority are shed, and no rung
    is there for that."""
    climb = progress.climb
    if climb is None:
        world.pressure.check(rank(progress.receipt.priority))
        return
    ladder = climb.ladder
    if ladder.floor:
        climb.no = Refusal("route_off", _NOTHING, retry_after_s=OFF_RETRY_S)
        rungs = ladder.rungs[ladder.floor - 1 :]
        if not _choose(progress, climb, (rungs, ladder.reason), world) and not ladder.empty:
            climb.no = None
    if world.pressure.sheds and (climb.step is None or climb.step.rung.asks):
        _shed(progress, climb, world)


def _shed(progress: Progress, climb: Climbing, world: World) -> None:
    try:
        world.pressure.check(rank(progress.receipt.priority))
    except Refusal as no:
        below = climb.ladder.below(climb.number, ("pressure",))
        if not _choose(progress, climb, (tuple(rung for rung, _ in below), "pressure"), world):
            raise
        climb.no = no


def _choose(
    progress: Progress,
    climb: Climbing,
    of: tuple[tuple[PreparedRung, ...], RungReason],
    world: World,
) -> bool:
    """Whether one of these can serve it: the first, and one beside where that is not sure."""
    found: list[Step] = []
    rungs, reason = of
    for rung in rungs:
        if rung.rung.kind == "batch_only" and progress.receipt.priority == _BATCH:
            break
        step = step_to(progress, climb, rung, reason, world)
        if step is not None:
            found.append(step)
            if rung.rung.kind not in _UNSURE:
                break
    return _put(climb, found)


def _put(climb: Climbing, found: list[Step]) -> bool:
    """Whether there is one. Of several that are not sure the first is tried, and then what is."""
    climb.step = found[0] if found else None
    climb.otherwise = found[-1] if len(found) > 1 else None
    return bool(found)


def step_to(
    progress: Progress, climb: Climbing, rung: PreparedRung, reason: RungReason, world: World
) -> Step | None:
    """The rung as it is for this request; None where it is not to be had."""
    if rung.off or (rung.asks and rung.route is None and climb.ladder.empty):
        return None
    if progress.keeper is not None and rung.route is not None:
        return None  # nobody else knows the conversation that it goes on from
    try:
        step = derive(climb, rung, reason, world.dialects[climb.came.dialect], progress.receipt)
        if rung.route is not None:
            able(step.ask, rung.route.target.target)
    except Refusal:
        return None
    return step


async def admit_lower(
    progress: Progress, gate: Gate, no: Refusal, plan: PreparedPlan, world: World
) -> bool:
    """Whether a budget that said no has a rung for it: one that fits, or costs nothing. It is held
    for then."""
    climb, receipt = progress.climb, progress.receipt
    if climb is None or not _degrades(gate, no):
        return False
    found: list[Step] = []
    for rung, reason in climb.ladder.below(climb.held, _BUDGET):
        if rung.asks and no.code.name == _UNKNOWN:
            continue
        if rung.rung.kind == "batch_only" and receipt.priority == _BATCH:
            continue
        step = step_to(progress, climb, rung, reason, world)
        if step is None or (rung.asks and not await _admitted(progress, step, gate, plan, world)):
            continue
        found.append(step)
        if rung.rung.kind not in _UNSURE:
            break
    if not found:
        return False
    _put(climb, found)
    sure = found[-1]
    climb.paid = sure.rung.asks
    if not climb.paid:
        admitted = progress.admitted = _admission(progress, sure, plan)
        await admitted.admit(gate.only(counts_unasked), world.past)
    climb.no, receipt.refused_by = no, None
    return True


def _admission(progress: Progress, step: Step, plan: PreparedPlan) -> Admission:
    assumed_tokens = plan.plan.assumed_output_tokens
    return Admission(step.ask, progress.receipt, step.route.bound, assumed_tokens)


async def _admitted(
    progress: Progress, step: Step, gate: Gate, plan: PreparedPlan, world: World
) -> bool:
    admitted = _admission(progress, step, plan)
    try:
        await admitted.admit(gate, world.past)
    except Refusal:
        return False
    progress.admitted = admitted
    return True


async def lower(progress: Progress, plan: PreparedPlan, world: World) -> None:
    """Puts a request that is admitted as far down as its budgets have it, by what is spent or held
    of them for others."""
    climb, admitted = progress.climb, progress.admitted
    assert climb is not None and admitted is not None  # noqa: S101 - see `grant`
    if "budget" not in climb.ladder.words[climb.number]:
        return
    spent = await spent_percent(admitted)
    if spent is None:
        return
    unsure: Step | None = None
    sure: Step | None = None
    for rung, reason in reversed(climb.ladder.below(climb.number, _BUDGET)):
        if (rung.rung.when.budget_percent or 0) > spent:
            continue
        if rung.rung.kind == "batch_only" and progress.receipt.priority == _BATCH:
            continue
        step = step_to(progress, climb, rung, reason, world)
        if step is None or (step.rung.asks and not await _meant(admitted, step, plan)):
            continue
        if rung.rung.kind not in _UNSURE:
            sure = step
            break
        unsure = unsure or step
    if unsure is not None or sure is not None:
        climb.otherwise = None if unsure is None else sure or climb.step
        climb.step = unsure or sure


async def _meant(admitted: Admission, step: Step, plan: PreparedPlan) -> bool:
    assumed_tokens = plan.plan.assumed_output_tokens
    return await admitted.meant_too(step.ask, step.route.bound, assumed_tokens, 0)


async def spent_percent(admitted: Admission) -> float | None:
    """How much is spent or held, by others, of the budget that degrades of which most is; None
    where nobody knows it of any."""
    now, shares = moment(), []
    for it, scope, amount, _ in admitted.held:
        if it.limit.degrades and it.counters is not None:
            shares.append(_share(it.counters.read(scope, 0, now), amount))
    unheld: list[Wanting] = []
    for hold in admitted.shared:
        taken = hold.taken
        for wanted, want, told in zip(hold.of, taken.wants, taken.readings, strict=True):
            if wanted[0].limit.degrades and told is not None:
                shares.append(_share(told, want.amount))
            elif wanted[0].limit.degrades:
                unheld.append(wanted)
    if unheld:  # a soft budget holds nothing, so that nothing is said of it
        with suppress(Refusal):
            shares += [_share(it, 0) for it in await read_shared(unheld, admitted.demand.receipt)]
    return max(shares, default=None)


def _share(reading: Reading, own: int) -> float:
    return (reading.used - own) / max(reading.allowed, 1) * 100


def _degrades(gate: Gate, no: Refusal) -> bool:
    """Whether a budget said no that has ladders look at it."""
    if no.code.name == _UNKNOWN:
        return any(it.limit.degrades for it in gate.money)
    said = None if no.excess is None else no.excess.limit
    return any(it.limit.degrades and it.limit.name == said for it in gate.money)
