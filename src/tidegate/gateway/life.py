"""A request's life, read straight down.

One coroutine owns the request from its first byte to settle. It ends in exactly one way: a whole
answer, a refusal, a failure before or after the first byte, or a client that has left; each is
settled once, with the receipt on its way to disk before the answer's last byte.
"""

from functools import partial

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.priority import rank
from tidegate.core.receipt import Endpoint, Receipt
from tidegate.gateway.accept import accept
from tidegate.gateway.admit import Admission
from tidegate.gateway.allowance import rate_headers
from tidegate.gateway.authenticate import authenticate, authenticate_at_once
from tidegate.gateway.call import call, note_target
from tidegate.gateway.contract import judge_answer
from tidegate.gateway.decline import break_off, decline, forget_frames
from tidegate.gateway.fit import fit
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.pick import leave, pick, pick_at_once, told
from tidegate.gateway.prepared import PreparedPlan, PreparedRoute
from tidegate.gateway.progress import Progress
from tidegate.gateway.resolve import resolve
from tidegate.gateway.settle import settle
from tidegate.gateway.shared_told import shared_rate_headers
from tidegate.gateway.size import size
from tidegate.gateway.stream import Relay
from tidegate.gateway.world import World


async def live(
    incoming: Incoming, connection: Connection, endpoint: Endpoint, world: World
) -> None:
    """Serves one request from accept to settle."""
    receipt = Receipt(world.ids.new(), clock.wall_s(), world.gateway, endpoint)
    progress = Progress(receipt, connection, incoming.received_s, connection.abort)
    try:
        plan = world.obeyed()
        receipt.plan_version = plan.plan.version
        head, keys = incoming.head, world.keys
        key = authenticate_at_once(head, keys, receipt) or await authenticate(head, keys, receipt)
        world.check_journal()
        ask = progress.ask = accept(incoming, endpoint, receipt)
        route = progress.route = resolve(ask, key, plan, receipt)
        size(ask, receipt)
        if world.pressure.sheds:
            world.pressure.check(rank(receipt.priority))
        if plan.limits.any or key.limits is not None:
            await _admit(progress, key, plan, world)
        target = route.target.target
        if target.context_tokens is not None:
            fit(ask, target, target.context_tokens)
        places = world.queues.at(target)
        if not pick_at_once(progress, places):
            world.waiting.add(progress)
            try:
                await pick(progress, places, _deadline_s(incoming), _head(progress, ask, route))
            finally:
                world.waiting.discard(progress)
        answered = await call(progress, ask, route.target, world)
        if ask.stream:
            await _stream(progress, route, answered, world)
        else:
            _whole(progress, ask, route, answered)
        receipt.status = 200
    except (Refusal, Failure) as no:
        decline(progress, no)
        forget_frames(no)
    except BaseException as error:
        break_off(progress, error)
        if not isinstance(error, Exception):
            raise
    finally:
        try:
            settle(progress, world)
        finally:
            leave(progress)


def _deadline_s(incoming: Incoming) -> float | None:
    context = incoming.head.context
    return None if context is None else context.deadline_s


async def _admit(progress: Progress, key: KeyRecord, plan: PreparedPlan, world: World) -> None:
    """Takes the caller's holds, and those of what will serve it; settle ends them."""
    ask, route, receipt = progress.ask, progress.route, progress.receipt
    assert ask is not None and route is not None  # noqa: S101 - the stages before
    limits = plan.limits
    gate = limits.gate(key, receipt)
    if not gate and not limits.of_target:
        return
    admitted = Admission(ask, receipt, route.target, plan.plan.assumed_output_tokens)
    progress.admitted = admitted
    if gate:
        await admitted.admit(gate, world.past)
    if limits.of_target:
        note_target(receipt, route.target)
        await admitted.admit(limits.target_gate, world.past)
    admitted.bind(ask)


async def _stream(
    progress: Progress, route: PreparedRoute, answered: InFlight, world: World
) -> None:
    """Relays a stream to its end; its closing mark waits for the receipt."""
    ask = progress.ask
    assert ask is not None  # noqa: S101 - accept has filled it
    reader = route.target.provider.reader(ask)
    head = _head(progress, ask, route)
    relay = progress.relay = Relay(answered, reader, progress.connection, head)
    if progress.admitted is not None and progress.admitted.most_chunks is not None:
        relay.hold_to(progress.admitted.most_chunks)
    relay.committed, relay.on_first = progress.begun, told(progress)
    if route.contract is not None:
        relay.hold_against(route.contract.follow(ask))
    world.relays.add(relay)
    await relay.run()
    progress.ending = relay.finish


def _whole(progress: Progress, ask: Ask, route: PreparedRoute, answered: InFlight) -> None:
    """Passes a whole answer on as it came; all of it waits for the receipt."""
    body = answered.take_body()
    progress.answer = route.target.provider.read_answer(ask, body)
    if route.contract is not None:
        progress.following = route.contract.follow(ask)
        judge_answer(progress.following, progress.answer)
    progress.ending = partial(progress.connection.send, _head(progress, ask, route), body)


def _head(progress: Progress, ask: Ask, route: PreparedRoute) -> bytes:
    start = answers.STREAM_HEAD if ask.stream else answers.JSON_HEAD
    head = start + answers.request_id_header(progress.receipt.id) + route.answer_headers
    admitted = progress.admitted
    if admitted is not None and admitted.gate is not None:
        head += rate_headers(admitted.gate, progress.receipt)
        if admitted.shared:
            head += shared_rate_headers(admitted.shared, admitted.gate)
    return head
