"""attempts: pick -> call -> stream, at one target after another until an answer has begun.

Up to the first content token anything may change, after it nothing does. Each attempt has holds, a
place and a connection of its own, and gives all of it back before the next begins.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway import wires
from tidegate.gateway.after import after
from tidegate.gateway.allowance import rate_headers
from tidegate.gateway.balance import stays_with
from tidegate.gateway.breaker import Verdict
from tidegate.gateway.call import call, note_target
from tidegate.gateway.chain import TIMER_S, Chain
from tidegate.gateway.contract import VIOLATION, judge_answer
from tidegate.gateway.decline import forget_frames, note_failure, request_ids
from tidegate.gateway.first import first
from tidegate.gateway.fit import fit
from tidegate.gateway.http import answers
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.media import text_bytes
from tidegate.gateway.pick import pick, pick_at_once, told
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_target import PreparedReplica, PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.shared_told import shared_rate_headers
from tidegate.gateway.size import note_conversation
from tidegate.gateway.stream import Relay
from tidegate.gateway.validity import turned_down
from tidegate.gateway.world import World
from tidegate.text import tokens

# Failures by which a provider has shown that it is there and works.
ALIVE = frozenset({"rate_limited", "overflow", "refused_by_safety", "rejected"})


async def attempts(progress: Progress, plan: PreparedPlan, world: World) -> None:
    """Serves the request. Refusal or Failure of the last attempt where none has."""
    ask, route = progress.ask, progress.route
    assert ask is not None and route is not None  # noqa: S101 - the stages before
    route.budget.request(progress.received_s)
    if route.route.balance == "sticky":
        note_conversation(ask, progress.receipt)
    if ask.stream:
        progress.head = _head
    target, chain = route.target, None
    if progress.keeper is not None:
        target = progress.keeper[0]
    elif not route.alone or target.troubled:
        target, chain = first(progress, ask, world)
    while True:
        no: Refusal | Failure | None = None
        try:
            await _attempt(progress, target, plan, world, chain)
        except (Refusal, Failure) as error:
            no = error
            _tell(progress, no)
        except BaseException:
            _tell(progress, None)
            raise
        else:
            _tell_well(progress)
        why = turned_down(progress) or no
        if why is None:
            if progress.owed:
                _repay(progress)
            return
        if chain is None:
            kept = None if progress.keeper is None else progress.keeper[1]
            chain = Chain(ask, route, progress.until_s, kept)
        following = await after(progress, chain, why, world)
        if following is None:
            if no is None:
                if progress.call is not None:
                    progress.call.attempt.failure = None
                return  # a refusal is an answer, where nobody gives another
            note_failure(progress, no)
            raise _blamed(progress, chain, no)
        forget_frames(no)
        target, pause_s = following
        if pause_s:
            await _pause(progress, pause_s, world)


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


async def _attempt(
    progress: Progress,
    target: PreparedTarget,
    plan: PreparedPlan,
    world: World,
    chain: Chain | None,
) -> None:
    """One attempt, from its holds to the end of its answer."""
    ask = progress.ask
    assert ask is not None  # noqa: S101 - see `attempts`
    progress.target = target
    if progress.admitted is not None:
        await _hold(progress, target, plan, world)
    if target.target.context_tokens is not None:
        fit(ask, target.target, target.target.context_tokens)
    places = world.queues.at(target.target)
    if not pick_at_once(progress, places):
        until_s = progress.until_s
        deadline_s = None if until_s is None else until_s - progress.received_s
        note_target(progress.receipt, target)
        world.waiting.add(progress)
        try:
            await pick(progress, places, deadline_s)
        finally:
            world.waiting.discard(progress)
    kept = progress.keeper
    progress.replica = replica = _replica(progress, ask, target, chain) if kept is None else kept[1]
    if replica.breaker.state != "closed":
        progress.tries = replica.breaker.enter(clock.monotonic_s())
    answered = await call(progress, ask, replica, world)
    if ask.stream:
        await _stream(progress, ask, answered, world)
    else:
        _whole(progress, ask, answered, world)


async def _hold(
    progress: Progress, target: PreparedTarget, plan: PreparedPlan, world: World
) -> None:
    """Takes the holds of the attempt's target. Refusal, with none of them taken."""
    admitted, ask = progress.admitted, progress.ask
    assert admitted is not None and ask is not None  # noqa: S101 - see `_attempt`
    if plan.limits.of_target:
        note_target(progress.receipt, target)
        admitted.aim(target)
        await admitted.admit(plan.limits.target_gate, world.past)
    admitted.bind(ask)


def _replica(
    progress: Progress, ask: Ask, target: PreparedTarget, chain: Chain | None
) -> PreparedReplica:
    if target.missing is not None:
        raise Refusal(
            "credential_missing", f"the credential {target.missing} of this route is not set"
        )
    replicas = target.replicas
    if len(replicas) == 1 and not replicas[0].credential.rate.known:
        return replicas[0]
    now_s, wanted = clock.monotonic_s(), tokens.estimate(text_bytes(ask))
    whose = ""
    if progress.route is not None and progress.route.route.balance == "sticky":
        whose = stays_with(progress.receipt)
    replica = target.choose(() if chain is None else chain.replicas, wanted, now_s, whose)
    if replica.credential.rate.known:
        replica.credential.rate.check(wanted, now_s)
    return replica


async def _stream(progress: Progress, ask: Ask, answered: InFlight, world: World) -> None:
    """Relays a stream to its end; its closing mark waits for the receipt."""
    reader = wires.reader(progress, ask, world)
    head = _head(progress, ask)
    relay = progress.relay = Relay(answered, reader, progress.connection, head)
    if progress.admitted is not None and progress.admitted.most_chunks is not None:
        relay.hold_to(progress.admitted.most_chunks)
    relay.committed, relay.on_first = progress.begun, told(progress)
    if progress.tries:
        relay.on_first = partial(_tell_first, progress, relay.on_first)
    relay.quiet_since_s = progress.quiet_since_s or progress.received_s
    if progress.dialect is not None:
        relay.sign_of_life = progress.dialect.keep_alive
    contract = None if progress.route is None else progress.route.contract
    if contract is not None:
        relay.hold_against(contract.follow(ask))
    if progress.owed and not relay.withheld:
        relay.on_first = partial(_repay_at_first, progress, relay.on_first)
    world.relays.add(relay)
    await relay.run()
    progress.ending = relay.finish


def _repay(progress: Progress) -> None:
    """What was sent once more has begun to be answered, and counts no more."""
    assert progress.route is not None  # noqa: S101 - see `attempts`
    progress.route.budget.give_back(progress.owed)
    progress.owed = 0


def _repay_at_first(
    progress: Progress, on_first: Callable[[float], None] | None, now_s: float
) -> None:
    """The same with a stream's first content: its end may be far."""
    _repay(progress)
    if on_first is not None:
        on_first(now_s)


def _whole(progress: Progress, ask: Ask, answered: InFlight, world: World) -> None:
    """Passes a whole answer on; all of it waits for the receipt."""
    body = wires.whole(progress, ask, answered.take_body(), world)
    contract = None if progress.route is None else progress.route.contract
    if contract is not None and progress.answer is not None:
        progress.following = contract.follow(ask)
        judge_answer(progress.following, progress.answer)
    progress.ending = partial(progress.connection.send, _head(progress, ask), body)


def _head(progress: Progress, ask: Ask) -> bytes:
    route, target = progress.route, progress.target
    assert route is not None and target is not None  # noqa: S101 - see `_attempt`
    start = answers.STREAM_HEAD if ask.stream else answers.JSON_HEAD
    head = start + request_ids(progress) + route.heads[target.target.name]
    if progress.earlier is not None:
        head += b"x-tidegate-attempts: %d\r\n" % len(progress.receipt.attempts)
    admitted = progress.admitted
    if admitted is not None and admitted.gate is not None:
        head += rate_headers(admitted.gate, progress.receipt)
        if admitted.shared:
            head += shared_rate_headers(admitted.shared, admitted.gate)
    if progress.receipt.dropped:
        head += b"x-tidegate-dropped: %b\r\n" % ",".join(progress.receipt.dropped).encode()
    return head


def _tell(progress: Progress, no: Refusal | Failure | None) -> None:
    """What an attempt that failed, or was broken off, says of its replica and credential."""
    replica, tries = progress.replica, progress.tries
    progress.tries = False
    if replica is None:
        return
    now_s = clock.monotonic_s()
    verdict: Verdict = "dropped"
    if isinstance(no, Failure) and progress.call is not None:
        late = progress.until_s is not None and now_s >= progress.until_s - TIMER_S
        if no.code.name == "upstream_auth":
            replica.credential.refused(now_s)
            verdict = "worked"
        elif no.kind in ALIVE or no.code.name == VIOLATION:
            verdict = "worked"
        elif no.kind != "timeout" or not late:
            verdict = "failed"
    replica.breaker.told(verdict, tries, now_s)


def _tell_first(progress: Progress, on_first: Callable[[float], None] | None, now_s: float) -> None:
    """The stream that tries a breaker has its first content."""
    assert progress.replica is not None  # noqa: S101 - it answers
    progress.replica.breaker.began(now_s)
    progress.tries = False
    if on_first is not None:
        on_first(now_s)


def _tell_well(progress: Progress) -> None:
    """An answer has come, whole. Most change nothing by it."""
    replica, call, route, ask = progress.replica, progress.call, progress.route, progress.ask
    assert replica is not None and route is not None and ask is not None  # noqa: S101 - it answered
    if replica.breaker.failures or replica.breaker.state != "closed":
        replica.breaker.told("worked", progress.tries, clock.monotonic_s())
    progress.tries = False
    if replica.credential.rests_until_s:
        replica.credential.accepted()
    if route.route.balance != "fastest" or ask.counts or call is None or call.sent_s is None:
        return
    end_s = call.first_s if call.stream else call.ended_s
    if end_s is not None and progress.target is not None:
        progress.target.pace.told(call.stream, end_s - call.sent_s)
