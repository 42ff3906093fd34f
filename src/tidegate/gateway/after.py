"""after: an attempt has come to nothing, and another may follow: by which rule, and whether its
requests, its time and its money allow it. What the first one held is given back before."""

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.chain import Chain
from tidegate.gateway.contract import VIOLATION, Following
from tidegate.gateway.correction import corrected
from tidegate.gateway.decline import note_failure
from tidegate.gateway.pick import leave
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.settle import account_attempt, settle_attempt
from tidegate.gateway.world import World


async def after(
    progress: Progress, chain: Chain, no: Refusal | Failure, world: World
) -> tuple[PreparedTarget, float] | None:
    """(what is asked next, after how many seconds), once the attempt has ended; None when its no
    is the request's, or its answer stands."""
    target, route, relay = progress.target, progress.route, progress.relay
    assert target is not None and route is not None  # noqa: S101 - see `attempts`
    if progress.connection.lost:
        return None
    if relay is not None and (relay.flowing or isinstance(no, Refusal)):
        return None  # it has begun, or was ours to end
    now_s, sent = clock.monotonic_s(), progress.call is not None
    following = chain.after(no, target, progress.replica if sent else None, now_s)
    if following is None:
        return None
    # What was not sent is no load, and another target in its place no more than the first.
    if sent and not route.budget.take(now_s):
        return None
    progress.owed = int(sent)
    note_failure(progress, no)
    ask = _next_ask(progress, chain, no, following[0], world)
    leave(progress, no.code.name)
    worked, wasted_nanousd = account_attempt(progress, world)
    if not await _holds(progress, ask, wasted_nanousd):
        route.budget.give_back(progress.owed)
        progress.owed = 0
        return None
    settle_attempt(progress, world, worked)
    if wasted_nanousd:
        route.budget.wasted(wasted_nanousd, now_s)
    progress.replica = None
    progress.receipt.refused_by = None
    ask.output_bound_tokens = ask.output_cap_tokens
    if ask is not progress.ask:
        progress.ask, progress.said = ask, None
    progress.begun = progress.begun or (relay is not None and relay.committed)
    if progress.earlier is not None:
        progress.earlier.took_s += following[1]
    return following


def _next_ask(
    progress: Progress, chain: Chain, no: Refusal | Failure, target: PreparedTarget, world: World
) -> Ask:
    """What is sent next: to a target whose answer broke the contract the request with that answer
    and what is wrong with it, to any other the request as it came."""
    relay, own = progress.relay, chain.ask
    if target is not progress.target or progress.ask is None:
        return own
    if no.code.name != VIOLATION:
        return progress.ask
    following = progress.following if relay is None else relay.following
    assert isinstance(following, Following)  # noqa: S101 - it has found the violation
    return corrected(own, world.dialects[own.dialect], following)


async def _holds(progress: Progress, ask: Ask, wasted_nanousd: int) -> bool:
    """Whether there is money for what this attempt may have cost, and for what the next one is
    dearer, beside what is held already."""
    admitted = progress.admitted
    if admitted is None:
        return True
    more_nanousd = wasted_nanousd
    if ask is not progress.ask:
        more_nanousd += admitted.send(ask)
    return not more_nanousd or await admitted.hold_more(more_nanousd)
