"""attempts: pick -> call -> stream, at one target after another until an answer has begun.

Up to the first content token anything may change, after it nothing does. Each attempt has holds, a
place and a connection of its own, and gives all of it back before the next begins.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.metered import Metered
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway import wires
from tidegate.gateway.able import able
from tidegate.gateway.after import after
from tidegate.gateway.answer_head import answer_head
from tidegate.gateway.balance import stays_with
from tidegate.gateway.call import call, note_target
from tidegate.gateway.chain import Chain
from tidegate.gateway.contract import judge_answer
from tidegate.gateway.decline import forget_frames, note_failure
from tidegate.gateway.first import first
from tidegate.gateway.guard import check_answer, guard_answer, rewrite, route_guards
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.media import text_bytes
from tidegate.gateway.pick import pick, pick_at_once, told
from tidegate.gateway.places import Places
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.prepared_target import PreparedReplica, PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.size import note_conversation
from tidegate.gateway.stream import Relay
from tidegate.gateway.tell import tell, tell_first, tell_well
from tidegate.gateway.validity import turned_down
from tidegate.gateway.withdrawn import check_version, withdrawn
from tidegate.gateway.world import World
from tidegate.text import tokens


async def attempts(progress: Progress, plan: PreparedPlan, world: World) -> None:
    """Serves the request. Refusal or Failure of the last attempt where none has; Withdrawn, before
    anything is sent to a version that nobody gets any more."""
    ask, route = progress.ask, progress.route
    assert ask is not None and route is not None  # noqa: S101 - the stages before
    if route.route.capture is not None and world.captures is not None:
        progress.capturing = world.captures.draw(ask, progress.receipt, route.route.capture)
    target, chain = _begin(progress, ask, route, world)
    while True:
        no: Refusal | Failure | None = None
        try:
            progress.target = target
            if progress.admitted is not None:
                await _hold(progress, target, plan, world)
            if target.bounded:
                able(ask, target.target)
            places = world.queues.at(target.target)
            if not pick_at_once(progress, places):
                await _pick(progress, places, target, world)
            replica = _replica(progress, ask, target, chain)
            answered = await call(progress, ask, replica, world)
            if ask.stream:
                await _stream(progress, ask, answered, world)
            else:
                await _whole(progress, ask, answered, world)
        except (Refusal, Failure) as error:
            no = error
            tell(progress, no)
            if route.route.came_by and not _sent(progress):
                note_failure(progress, no)
                check_version(progress, world)
        except BaseException:
            tell(progress, None)
            raise
        else:
            tell_well(progress, route.route.balance)
            if not route.fallbacks and not progress.owed:
                return
        why = turned_down(progress) or no
        if why is None:
            _repay(progress)
            return
        if chain is None:
            kept = None if progress.keeper is None else progress.keeper[1]
            chain = Chain(ask, route, progress.until_s, kept)
        following = await after(progress, chain, why, world)
        if following is None:
            _give_up(progress, chain, no)
            return
        forget_frames(no)
        ask = progress.ask or ask  # which may say now what was wrong with the answer before
        target, pause_s = following
        if pause_s:
            await _pause(progress, pause_s, world)


def _begin(
    progress: Progress, ask: Ask, route: PreparedRoute, world: World
) -> tuple[PreparedTarget, Chain | None]:
    """The target that is asked first, and the chain where that is a fallback already."""
    if progress.earlier is None:  # else it was counted as it came
        route.budget.request(progress.received_s)
    if route.route.balance == "sticky":
        note_conversation(ask, progress.receipt)
    if ask.stream and ask.metered is None:
        progress.head = answer_head
    if progress.keeper is not None:
        return progress.keeper[0], None
    if route.alone and not route.target.troubled:
        return route.target, None
    return first(progress, ask, world)


def _give_up(progress: Progress, chain: Chain, no: Refusal | Failure | None) -> None:
    """Nobody else is asked. Refusal or Failure; a refusal by the model is an answer then."""
    if no is not None:
        note_failure(progress, no)
        raise _blamed(progress, chain, no)
    if progress.call is not None:
        progress.call.attempt.failure = None


def _sent(progress: Progress) -> bool:
    return progress.call is not None and progress.call.sent_s is not None


async def _pause(progress: Progress, pause_s: float, world: World) -> None:
    world.pausing.add(progress)
    try:
        await asyncio.sleep(pause_s)
    finally:
        world.pausing.discard(progress)


def _blamed(progress: Progress, chain: Chain, no: Refusal | Failure) -> Refusal | Failure:
    """What the caller is told, and by which limit where that was one's word."""
    blamed = chain.blamed(no)
    if blamed is not no:
        excess = None if isinstance(blamed, Failure) else blamed.excess
        progress.receipt.refused_by = None if excess is None else excess.limit
        forget_frames(no)
    return blamed


async def _pick(progress: Progress, places: Places, target: PreparedTarget, world: World) -> None:
    """Waits for a place at the attempt's target. Refusal when none is to be had in time."""
    until_s = progress.until_s
    deadline_s = None if until_s is None else until_s - progress.received_s
    note_target(progress.receipt, target)
    world.waiting.add(progress)
    try:
        await pick(progress, places, deadline_s, partial(withdrawn, progress, world))
    finally:
        world.waiting.discard(progress)


async def _hold(
    progress: Progress, target: PreparedTarget, plan: PreparedPlan, world: World
) -> None:
    """Takes the holds of the attempt's target. Refusal, with none of them taken."""
    admitted, ask = progress.admitted, progress.ask
    assert admitted is not None and ask is not None  # noqa: S101 - see `attempts`
    if plan.limits.of_target:
        note_target(progress.receipt, target)
        admitted.aim(target)
        await admitted.admit(plan.limits.target_gate, world.past)
    admitted.bind(ask)


def _replica(
    progress: Progress, ask: Ask, target: PreparedTarget, chain: Chain | None
) -> PreparedReplica:
    """The part of the target that is asked, which the attempt's breaker knows from now on."""
    if progress.batch is not None:
        progress.batch.aim(ask, target.target.name)
    only = target.only
    if progress.keeper is not None:
        replica = progress.keeper[1]
    elif only is not None and not only.credential.rate.known:
        replica = only
    else:
        replica = _chosen(progress, ask, target, chain)
    progress.replica = replica
    if replica.breaker.state != "closed":
        progress.tries = replica.breaker.enter(clock.monotonic_s())
    return replica


def _chosen(
    progress: Progress, ask: Ask, target: PreparedTarget, chain: Chain | None
) -> PreparedReplica:
    if target.missing is not None:
        message = f"the credential {target.missing} of this route is not set"
        raise Refusal("credential_missing", message)
    now_s, wanted = clock.monotonic_s(), tokens.estimate(text_bytes(ask))
    whose = ""
    if progress.route is not None and progress.route.route.balance == "sticky":
        whose = stays_with(progress.receipt)
    replica = target.choose(() if chain is None else chain.replicas, wanted, now_s, whose)
    if replica.credential.rate.known:
        replica.credential.rate.check(wanted, now_s)
    return replica


async def _stream(progress: Progress, ask: Ask, answered: InFlight, world: World) -> None:
    """Relays a stream to its end."""
    relay = _relay(progress, ask, answered, world)
    if relay.screen is None:
        await relay.run()
    else:
        await relay.run_screened(relay.screen)
    progress.ending = relay.finish
    if progress.guarding is not None:
        await check_answer(progress, ask, world)


def _relay(progress: Progress, ask: Ask, answered: InFlight, world: World) -> Relay:
    """What relays a stream; its closing mark waits for the receipt."""
    reader = wires.reader(progress, ask, world)
    head = answer_head(progress, ask)
    relay = progress.relay = Relay(answered, reader, progress.connection, head)
    if ask.metered is not None:
        return _stream_units(progress, relay, ask.metered, world)
    if progress.admitted is not None and progress.admitted.most_chunks is not None:
        relay.hold_to(progress.admitted.most_chunks)
    relay.committed, relay.on_first = progress.begun, told(progress)
    if progress.tries:
        relay.on_first = partial(tell_first, progress, relay.on_first)
    relay.quiet_since_s = progress.quiet_since_s or progress.received_s
    if progress.dialect is not None:
        relay.sign_of_life = progress.dialect.keep_alive
    contract = None if progress.route is None else progress.route.contract
    if contract is not None:
        relay.hold_against(contract.follow(ask))
    if progress.caching is not None:
        relay.tape = progress.caching.record()
    if route_guards(progress):
        rewrite(progress, relay, world)
    elif progress.capturing is not None:
        relay.reader.follower = progress.capturing.hear(relay.following)
    if progress.owed and not relay.withheld:
        relay.on_first = partial(_repay_at_first, progress, relay.on_first)
    world.relays.add(relay)
    return relay


def _stream_units(progress: Progress, relay: Relay, metered: Metered, world: World) -> Relay:
    """Of what is no chat: nothing is held against it, and its client is sent nothing besides."""
    relay.on_first = told(progress)
    if progress.tries:
        relay.on_first = partial(tell_first, progress, relay.on_first)
    relay.sign_of_life = b""
    relay.ends_by_framing = not metered.events
    if progress.owed:
        relay.on_first = partial(_repay_at_first, progress, relay.on_first)
    world.relays.add(relay)
    return relay


def _repay(progress: Progress) -> None:
    """What was sent once more has begun to be answered, and counts no more."""
    assert progress.route is not None  # noqa: S101 - see `attempts`
    if progress.owed:
        progress.route.budget.give_back(progress.owed)
        progress.owed = 0


def _repay_at_first(
    progress: Progress, on_first: Callable[[float], None] | None, now_s: float
) -> None:
    """The same with a stream's first content: its end may be far."""
    _repay(progress)
    if on_first is not None:
        on_first(now_s)


async def _whole(progress: Progress, ask: Ask, answered: InFlight, world: World) -> None:
    """Passes a whole answer on; all of it waits for the receipt."""
    body = answered.take_body()
    if progress.caching is not None:
        progress.caching.hear(body)
    body = wires.whole(progress, ask, body, world)
    if progress.batch is not None:
        body = progress.batch.join(body, progress.answer, progress.receipt)
    contract = None if progress.route is None else progress.route.contract
    if contract is not None and progress.answer is not None and ask.metered is None:
        progress.following = contract.follow(ask)
        judge_answer(progress.following, progress.answer)
    if route_guards(progress):
        body = await guard_answer(progress, body, world)
    progress.ending = partial(progress.connection.send, answer_head(progress, ask), body)
    if progress.guarding is not None:
        await check_answer(progress, ask, world)
