"""A request's life, read straight down.

One coroutine owns the request from its first byte to settle. It ends in exactly one way: a whole
answer, a refusal, a failure before or after the first byte, or a client that has left; each is
settled once, with the receipt on its way to disk before the answer's last byte.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway import wires
from tidegate.gateway.accept import accept
from tidegate.gateway.attempts import attempts
from tidegate.gateway.authenticate import authenticate, authenticate_at_once
from tidegate.gateway.cache import cache, rescued
from tidegate.gateway.climbing import begun
from tidegate.gateway.decline import break_off, decline, forget_frames
from tidegate.gateway.entry import Entry
from tidegate.gateway.grant import admit
from tidegate.gateway.guard import guard
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.keeping import keep
from tidegate.gateway.ladder import begin_at, fall
from tidegate.gateway.lowering import begin
from tidegate.gateway.moved import serve_moved
from tidegate.gateway.pick import leave
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.progress import Progress
from tidegate.gateway.prompted import written
from tidegate.gateway.resolve import resolve
from tidegate.gateway.settle import settle
from tidegate.gateway.size import size
from tidegate.gateway.vector_keeping import keep_vectors
from tidegate.gateway.vectors import ask_whole
from tidegate.gateway.withdrawn import Withdrawn
from tidegate.gateway.world import World


async def live(incoming: Incoming, connection: Connection, entry: Entry, world: World) -> None:
    """Serves one request from accept to settle."""
    receipt = Receipt(world.ids.new(), clock.wall_s(), world.gateway, entry.endpoint)
    progress = Progress(receipt, connection, incoming.received_s, connection.abort)
    progress.dialect = entry.dialect
    try:
        plan = world.obeyed()
        receipt.plan_version = plan.plan.version
        head, keys = incoming.head, world.keys
        key = authenticate_at_once(head, keys, receipt) or await authenticate(head, keys, receipt)
        world.check_journal()
        ask = progress.ask = accept(incoming, entry, receipt)
        route = progress.route = resolve(ask, key, plan, receipt, head.headers)
        route = route if entry.dialect is None else wires.find_stored(progress, ask, plan, world)
        context = head.context
        if context is not None and context.deadline_s is not None:
            progress.until_s = incoming.received_s + context.deadline_s
        if route.guardrails is not None:
            await guard(progress, ask, route)
        climbing = progress.climb = None if route.ladder is None else begun(ask, route)
        route = progress.route = written(ask, route, receipt)
        size(ask, receipt, route.output_cap_tokens)
        if world.pressure.sheds or (climbing is not None and climbing.ladder.floor):
            begin(progress, world)
        if plan.limits.any or key.limits is not None:
            await admit(progress, key, plan, world)
        keeps = route.cache is not None or route.vectors is not None
        if not keeps or not await cache(progress, incoming, key, plan, world):
            try:
                await (
                    attempts(progress, plan, world)
                    if climbing is None
                    else begin_at(progress, climbing, plan, world)
                )
                if progress.batch is not None:
                    await ask_whole(progress, plan, world)
            except (Withdrawn, Refusal, Failure) as no:
                moved = partial(serve_moved, incoming, entry, progress, key, world)
                await _go_on(progress, no, plan, world, moved)
        receipt.status = 200
    except (Refusal, Failure) as no:
        if progress.caching is not None and rescued(progress, no, world):
            receipt.status = 200
        else:
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
            leave(progress, receipt.error_code)
            if progress.caching is not None or progress.batch is not None:
                _keep(progress, world)
    if receipt.rollout is not None and world.shadows is not None and not receipt.is_kept_answer:
        world.shadows.follow(incoming, entry, receipt)


async def _go_on(
    progress: Progress,
    no: Withdrawn | Refusal | Failure,
    plan: PreparedPlan,
    world: World,
    moved: Callable[[], Awaitable[None]],
) -> None:
    """Serves what was not served at first: by its ladder, or as `moved` to what its route serves
    now. Refusal or Failure."""
    if not isinstance(no, Withdrawn):
        try:
            await fall(progress, no, plan, world)
        except Withdrawn:
            pass
        else:
            return
    await moved()


def _keep(progress: Progress, world: World) -> None:
    """What of the answer is good for others."""
    if progress.caching is not None:
        keep(progress, world)
    else:
        keep_vectors(progress, world)
