"""moved: a request whose version was rolled back while it waited is of what its route serves now.

It is resolved anew from its own bytes, as if it came now; what limits hold for it stays held. It
counts for neither arm: one was assigned, the other serves.
"""

from tidegate.core.arm import UnitKind
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway import wires
from tidegate.gateway.accept import accept
from tidegate.gateway.attempts import attempts
from tidegate.gateway.cache_control import take_out
from tidegate.gateway.climbing import begun
from tidegate.gateway.entry import Entry
from tidegate.gateway.guard import guard
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.ladder import climb as climbed
from tidegate.gateway.lowering import begin
from tidegate.gateway.pick import leave
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.progress import Progress
from tidegate.gateway.prompted import written
from tidegate.gateway.resolve import resolve
from tidegate.gateway.settle import account_attempt, settle_attempt
from tidegate.gateway.size import size
from tidegate.gateway.withdrawn import Withdrawn
from tidegate.gateway.world import World

_WHY = "withdrawn"


async def serve_moved(
    incoming: Incoming, entry: Entry, progress: Progress, key: KeyRecord, world: World
) -> None:
    """Serves it by what its route has now, however often that is taken back too. Refusal or
    Failure, as `attempts`."""
    while True:
        _end_attempt(progress, world)
        plan = world.obeyed()
        await _resolve_anew(incoming, entry, progress, key, world)
        await _hold_more(progress, plan)
        try:
            serve = attempts if progress.climb is None else climbed
            await serve(progress, plan, world)
        except Withdrawn:
            continue
        return


def _end_attempt(progress: Progress, world: World) -> None:
    """The attempt that was not sent is over: its place, its holds, what it owes for being sent."""
    route, call = progress.route, progress.call
    assert route is not None  # noqa: S101 - it was meant for one
    if call is not None:
        call.end()
        call.attempt.failure = call.attempt.failure or _WHY
    progress.wait_as_its_caller()
    leave(progress, _WHY)
    worked, _ = account_attempt(progress, world)
    settle_attempt(progress, world, worked)
    if progress.owed:
        route.budget.give_back(progress.owed)
        progress.owed = 0
    progress.replica = progress.target = progress.keeper = progress.said = None
    progress.receipt.refused_by = None
    progress.receipt.passed_over = False


async def _resolve_anew(
    incoming: Incoming, entry: Entry, progress: Progress, key: KeyRecord, world: World
) -> None:
    """The stages between its key and its limits, of the plan of now. Refusal."""
    receipt, plan = progress.receipt, world.obeyed()
    was = receipt.rollout, receipt.unit, receipt.unit_kind
    receipt.plan_version = plan.plan.version
    receipt.rollout = receipt.arm = receipt.unit = receipt.unit_kind = None
    progress.batch = None  # what it found is of the release that it came by
    progress.guarding, receipt.guardrails = None, []
    try:
        ask = progress.ask = accept(incoming, entry, receipt)
        progress.route = resolve(ask, key, plan, receipt, incoming.head.headers)
        wires.find_stored(progress, ask, plan, world)
    finally:
        _note_moved(receipt, was)
    if progress.route.cache is not None or progress.route.vectors is not None:
        take_out(ask)
    if progress.route.guardrails is not None:
        await guard(progress, ask, progress.route)
    receipt.rung = receipt.rung_kind = receipt.rung_reason = None
    climb = progress.climb = begun(ask, progress.route)
    progress.route = written(ask, progress.route, receipt)
    size(ask, receipt, progress.route.output_cap_tokens)
    if climb is not None and climb.ladder.floor:
        begin(progress, world)


def _note_moved(receipt: Receipt, was: tuple[str | None, int | None, UnitKind | None]) -> None:
    """By which release it came, though that did not serve it."""
    if receipt.rollout is None:
        receipt.rollout, receipt.unit, receipt.unit_kind = was
        receipt.arm = None if receipt.rollout is None else "stable"
    receipt.arm_forced = receipt.rollout is not None


async def _hold_more(progress: Progress, plan: PreparedPlan) -> None:
    """What serves it now may be dearer. Refusal where a budget has not as much."""
    admitted, ask, route = progress.admitted, progress.ask, progress.route
    assert ask is not None and route is not None  # noqa: S101 - it was resolved
    if progress.climb is not None and progress.climb.step is not None:
        sure = progress.climb.otherwise or progress.climb.step
        if not sure.rung.asks:
            return
        ask, route = sure.ask, sure.route
    if admitted is None:
        return
    more_nanousd = admitted.meant_for(ask, route.bound, plan.plan.assumed_output_tokens)
    if more_nanousd and not await admitted.hold_more(more_nanousd):
        message = "the release was rolled back, and what serves instead may cost more than is left"
        raise Refusal("insufficient_quota", message)
