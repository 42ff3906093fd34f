"""ladder: a request served by its route or, where that cannot, by a rung of its route's ladder.

A rung is a step down and never up: what went wrong is looked for further down than where the
request is. Each attempt has ended, with its cost, before a rung is tried; after the first content
that a client has seen nothing is. A rung that asks a model counts as something sent again, and is
left out where the retry budget, the money or the caller's time does not allow it.
"""

from collections.abc import Coroutine
from typing import Any, Final

from tidegate.core import clock
from tidegate.core.ladder import MADE_UP
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.attempts import attempts
from tidegate.gateway.cache import rescued
from tidegate.gateway.climbing import Climbing, Step
from tidegate.gateway.decline import forget_frames, note_failure
from tidegate.gateway.give import give
from tidegate.gateway.guard import check_given
from tidegate.gateway.lowering import step_to
from tidegate.gateway.made_up import say
from tidegate.gateway.pick import leave
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.progress import Progress
from tidegate.gateway.settle import account_attempt, settle_attempt
from tidegate.gateway.signs import Signs, signs_of, signs_of_answer
from tidegate.gateway.world import World

_BATCH: Final = "batch"
# Whose doing it is where a request is no good, or not allowed.
_OURS: Final = frozenset({"caller", "policy"})
# Ends the request, whoever has answered.
_STOPPED: Final = "guardrail_blocked"
BATCH_RETRY_S: Final = 60.0
_BATCH_ONLY: Final = (
    "that model serves only batch work for now: send it to /v1/batches (/v1/messages/batches), or "
    "with the priority `batch`, or try again later"
)
_TURNED_DOWN: Final = "the answer was turned down by its route's ladder"


def begin_at(
    progress: Progress, climbing: Climbing, plan: PreparedPlan, world: World
) -> Coroutine[Any, Any, None]:
    """What serves the request at first: mostly its route, as one without a ladder does, but for how
    long that is waited for. What it fails is for `fall`."""
    if climbing.step is not None or climbing.no is not None or climbing.ladder.judges[0]:
        return climb(progress, plan, world)
    patience_s = climbing.ladder.patience[0][progress.receipt.stream]
    if patience_s is not None:
        _wait(progress, patience_s)
    return attempts(progress, plan, world)


async def climb(progress: Progress, plan: PreparedPlan, world: World) -> None:
    """Serves the request. Refusal or Failure of the last attempt where nothing does; Withdrawn, as
    `attempts`."""
    climbing = progress.climb
    assert climbing is not None  # noqa: S101 - see `life`
    climbing.fallen = True
    if (climbing.step or climbing.no) is not None and await _begun(progress, climbing, world):
        return
    await _serve(progress, climbing, plan, world)


async def fall(progress: Progress, no: Refusal | Failure, plan: PreparedPlan, world: World) -> None:
    """The same, once its route has failed it. What has no ladder, or has come to the end of it, is
    failed."""
    climbing = progress.climb
    if climbing is None or climbing.fallen:
        raise no
    climbing.fallen = True
    if not await _is_served(progress, climbing, no, plan, world):
        await _serve(progress, climbing, plan, world)


async def _serve(progress: Progress, climbing: Climbing, plan: PreparedPlan, world: World) -> None:
    is_served = False
    while not is_served:
        patience_s = climbing.ladder.patience[climbing.number][progress.receipt.stream]
        if patience_s is not None:
            _wait(progress, patience_s)
        no: Refusal | Failure | None = None
        try:
            await attempts(progress, plan, world)
        except (Refusal, Failure) as error:
            no = error
        is_served = await _is_served(progress, climbing, no, plan, world)


async def _is_served(
    progress: Progress,
    climbing: Climbing,
    no: Refusal | Failure | None,
    plan: PreparedPlan,
    world: World,
) -> bool:
    """Whether nobody else is asked after an attempt. Refusal or Failure where nobody serves it."""
    patience_until_s = progress.until_s if progress.impatient else None
    progress.wait_as_its_caller()
    if no is not None:
        signs = signs_of(progress, no, patience_until_s)
        if not signs and _is_the_rungs(progress, climbing, no):
            signs = climbing.signs
        if not await _go_down(progress, signs, no, plan, world):
            raise _blamed(progress, climbing, no)
        forget_frames(no)
    elif not climbing.ladder.judges[climbing.number] or await _stands(
        progress, climbing, plan, world
    ):
        return True
    return climbing.step is not None and not climbing.step.rung.asks


def _is_the_rungs(progress: Progress, climbing: Climbing, no: Refusal | Failure) -> bool:
    """Whether it says that a rung cannot do what is asked, which nobody has asked of that."""
    relay = progress.relay
    if no.code.name == _STOPPED:
        return False
    out = progress.connection.lost or (relay is not None and relay.flowing)
    return climbing.step is not None and no.code.fault in _OURS and not out


def _blamed(progress: Progress, climbing: Climbing, no: Refusal | Failure) -> Refusal | Failure:
    """What the caller is told: what led to a rung, where that cannot do what is asked."""
    led = climbing.cause or climbing.no
    if led is None or not _is_the_rungs(progress, climbing, no):
        return no
    note_failure(progress, no)
    excess = None if isinstance(led, Failure) else led.excess
    progress.receipt.refused_by = None if excess is None else excess.limit
    forget_frames(no)
    return led


async def _stands(progress: Progress, climbing: Climbing, plan: PreparedPlan, world: World) -> bool:
    """Whether an answer that came to its end, where rungs are there for those that are no good, is
    what its caller gets."""
    signs = signs_of_answer(progress, climbing.ladder.words[climbing.number])
    if not signs:
        return True
    no = Failure("malformed", "upstream_invalid_answer", _TURNED_DOWN)
    if await _go_down(progress, signs, no, plan, world):
        return False
    if progress.call is not None:  # nothing is there in its place
        progress.call.attempt.failure = None
    return True


def _wait(progress: Progress, patience_s: float) -> None:
    """Sets until when what is asked now is waited for, where a rung is there for what is slower:
    not where its caller waits no longer than that, or nobody could be asked in its place."""
    route, whole_until_s = progress.route, progress.until_s
    until_s = progress.received_s + patience_s
    assert route is not None  # noqa: S101 - see `climb`
    if whole_until_s is not None and whole_until_s <= until_s:
        return
    if route.budget.untouched or route.budget.has_room(clock.monotonic_s()):
        progress.until_s, progress.whole_until_s, progress.impatient = until_s, whole_until_s, True


async def _begun(progress: Progress, climbing: Climbing, world: World) -> bool:
    """Whether a rung that asks nobody has served it; otherwise it is at one that asks, or at its
    route. Refusal where nothing has anything to give."""
    while climbing.step is not None:
        step = climbing.step
        if step.rung.asks:
            _enter(progress, step)
            return False
        if await _ended(progress, step, world):
            return True
        climbing.step, climbing.otherwise = climbing.otherwise, None
    if climbing.no is not None:
        raise climbing.no
    return False


def _enter(progress: Progress, step: Step) -> None:
    """What is asked from now on is asked at this rung."""
    progress.ask, progress.route, progress.said = step.ask, step.route, None
    for name, value in step.noted.items():
        setattr(progress.receipt, name, value)
    _note(progress, step)


def _note(progress: Progress, step: Step) -> None:
    receipt, rung = progress.receipt, step.rung.rung
    receipt.rung, receipt.rung_kind, receipt.rung_reason = rung.name, rung.kind, step.reason


async def _go_down(
    progress: Progress, signs: Signs, no: Refusal | Failure, plan: PreparedPlan, world: World
) -> bool:
    """Whether a rung is there for it, which the request is at then, or which has served it."""
    climbing = progress.climb
    assert climbing is not None  # noqa: S101 - see `climb`
    for rung, reason in climbing.ladder.below(climbing.number, signs):
        if rung.rung.kind in MADE_UP and rescued(progress, no, world):
            climbing.step = Step(rung, reason, climbing.came, climbing.own)
            return True
        step = step_to(progress, climbing, rung, reason, world)
        if step is None:
            continue
        if rung.asks:
            if not await _may_ask(progress, step, no, plan, world):
                continue
            _end_attempt(progress, no, world)
            climbing.cause, climbing.signs = climbing.cause or no, signs
            _enter(progress, step)
        elif not await _instead(progress, step, no, world):
            continue
        climbing.step = step
        return True
    return False


async def _may_ask(
    progress: Progress, step: Step, no: Refusal | Failure, plan: PreparedPlan, world: World
) -> bool:
    """Whether its caller waits for it, and what it may cost and load is there."""
    now_s, admitted = clock.monotonic_s(), progress.admitted
    if progress.until_s is not None and now_s >= progress.until_s:
        return False
    budget, sent = step.route.budget, progress.call is not None
    if sent and not budget.take(now_s):
        return False
    if admitted is None or await _is_paid(progress, step, no, plan, world):
        return True
    if sent:
        budget.give_back(1)
    return False


async def _is_paid(
    progress: Progress, step: Step, no: Refusal | Failure, plan: PreparedPlan, world: World
) -> bool:
    """Whether there is money for it, beside what the attempt before may have cost."""
    admitted, climbing = progress.admitted, progress.climb
    assert admitted is not None and climbing is not None  # noqa: S101 - see `_may_ask`
    if not climbing.paid:
        return False
    note_failure(progress, no)
    _, wasted_nanousd = account_attempt(progress, world)
    assumed_tokens = plan.plan.assumed_output_tokens
    return await admitted.meant_too(step.ask, step.route.bound, assumed_tokens, wasted_nanousd)


async def _instead(progress: Progress, step: Step, no: Refusal | Failure, world: World) -> bool:
    """Whether a rung that asks nobody has served it, in the place of an attempt."""
    kind = step.rung.rung.kind
    if kind == "stale" and not _has_old(progress, step, world):
        return False
    if kind == "batch_only" and progress.receipt.priority == _BATCH:
        return False
    if kind == "handover" and not await _handed_over(progress, step, world):
        return False
    _end_attempt(progress, no, world)
    progress.owed = 0  # nothing is sent once more
    return await _answered(progress, step, world)


async def _ended(progress: Progress, step: Step, world: World) -> bool:
    """Whether a rung that asks nobody has served it, before anybody was asked."""
    kind = step.rung.rung.kind
    if kind == "stale" and not _has_old(progress, step, world):
        return False
    if kind == "handover" and not await _handed_over(progress, step, world):
        return False
    return await _answered(progress, step, world)


async def _answered(progress: Progress, step: Step, world: World) -> bool:
    """Gives what the rung has. Refusal of one that has only batch work done, and where guardrails
    stop a kept answer."""
    rung, caching = step.rung.rung, progress.caching
    progress.route = step.route
    _note(progress, step)
    if rung.kind == "batch_only":
        raise Refusal("batch_only", _BATCH_ONLY, retry_after_s=BATCH_RETRY_S)
    if rung.kind != "stale":
        say(progress, rung.text, world)
        return True
    assert caching is not None and caching.old is not None  # noqa: S101 - see `_has_old`
    if not give(progress, caching.old, "stale", world):
        return False
    if progress.given is not None:
        await check_given(progress, world)
    return True


def _has_old(progress: Progress, step: Step, world: World) -> bool:
    """Whether an answer was kept that is not too old for the rung, and that nobody took back."""
    caching = progress.caching
    if caching is None or caching.old is None:
        return False
    answer = caching.old.answer
    if world.cache.invalidations.is_void(answer.labels, caching.mark.number):
        return False
    return caching.old.age_s < answer.fresh_s + step.rung.rung.stale_s


async def _handed_over(progress: Progress, step: Step, world: World) -> bool:
    """Whether somebody will be told of it, whatever becomes of this process."""
    handover = step.rung.rung.handover
    if handover is None or world.handovers is None:
        return False
    return await world.handovers.take(progress, handover, step.rung.rung.name, step.reason)


def _end_attempt(progress: Progress, no: Refusal | Failure, world: World) -> None:
    """The attempt before is over, with what it cost; what was sent in vain stays owed."""
    relay, route = progress.relay, progress.route
    assert route is not None  # noqa: S101 - see `climb`
    sent = progress.call is not None
    begun = relay is not None and relay.committed
    note_failure(progress, no)
    leave(progress, no.code.name)
    worked, wasted_nanousd = account_attempt(progress, world)
    settle_attempt(progress, world, worked)
    if wasted_nanousd:
        route.budget.wasted(wasted_nanousd, clock.monotonic_s())
    progress.begun = progress.begun or begun
    progress.owed, progress.replica = int(sent), None
    progress.receipt.refused_by = None
