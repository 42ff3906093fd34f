"""lowering: where on its route's ladder a request begins, before anybody is asked: as a change in
force has it, for want of memory or processor, or by what is left of its budgets.

A rung that may turn out to have nothing to give, a kept answer or somebody to hand over to, is
tried before the next one, for which money is held meanwhile.
"""

from contextlib import suppress
from typing import Final

from msgspec import Struct

from tidegate.core.ladder import RungReason, When
from tidegate.core.limit import Reading
from tidegate.core.outcome import Refusal
from tidegate.core.periods import period_at
from tidegate.core.plan import Limit
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


class Spent(Struct):
    """Shares of budgets in percent, each of another one, and now (wall-clock seconds)."""

    shares: list[tuple[Limit, float]]
    now_s: float

    @property
    def percent(self) -> float | None:
        """Of that of which most is; None where nobody knows it of any."""
        return max((share for _, share in self.shares), default=None)

    def has_reached(self, when: When) -> bool:
        """Whether so much is spent, or will be at the end of its period."""
        spent, foreseen = self.percent, when.forecast_percent
        if when.budget_percent is not None and spent is not None and spent >= when.budget_percent:
            return True
        return foreseen is not None and any(
            _foreseen(*one, self.now_s) >= foreseen for one in self.shares
        )


def _foreseen(limit: Limit, percent: float, now_s: float) -> float:
    """What of a budget will be spent at the end of its period, at the pace so far. 0: nobody can
    say."""
    if limit.unit is None or not percent:
        return 0.0
    passed = period_at(limit.unit, limit.time_zone, now_s).passed_at(now_s)
    return 0.0 if passed is None else percent / passed


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
    spent = await how_spent(admitted)
    if spent.percent is None:
        return
    unsure: Step | None = None
    sure: Step | None = None
    for rung, reason in reversed(climb.ladder.below(climb.number, _BUDGET)):
        if not spent.has_reached(rung.rung.when):
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


async def how_spent(admitted: Admission) -> Spent:
    """What is spent or held, by others, of the budgets that degrade."""
    now, shares = moment(), list[tuple[Limit, float]]()
    for it, scope, amount, _ in admitted.held:
        if it.limit.degrades and it.counters is not None:
            shares.append((it.limit, _share(it.counters.read(scope, 0, now), amount)))
    unheld: list[Wanting] = []
    for hold in admitted.shared:
        taken = hold.taken
        for wanted, want, told in zip(hold.of, taken.wants, taken.readings, strict=True):
            if wanted[0].limit.degrades and told is not None:
                shares.append((wanted[0].limit, _share(told, want.amount)))
            elif wanted[0].limit.degrades:
                unheld.append(wanted)
    if unheld:  # a soft budget holds nothing, so that nothing is said of it
        with suppress(Refusal):
            told_now = await read_shared(unheld, admitted.demand.receipt)
            limits = [it.limit for it, _ in unheld]
            shares += [(it, _share(one, 0)) for it, one in zip(limits, told_now, strict=True)]
    return Spent(shares, now.wall_s)


def _share(reading: Reading, own: int) -> float:
    return (reading.used - own) / max(reading.allowed, 1) * 100


def _degrades(gate: Gate, no: Refusal) -> bool:
    """Whether a budget said no that has ladders look at it."""
    if no.code.name == _UNKNOWN:
        return any(it.limit.degrades for it in gate.money)
    said = None if no.excess is None else no.excess.limit
    return any(it.limit.degrades and it.limit.name == said for it in gate.money)
