"""shadow: a release under way is asked what stable has answered, and nobody gets what it says.

A copy is a request of the gateway's own: it begins when its caller has been answered, holds no
limit of anybody, is asked once, and is not sent wherever a caller's request might want for what it
takes. Its receipt tells what it did and cost.
"""

import asyncio
import logging
from functools import partial
from typing import Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.ask import OPENAI_RESPONSES
from tidegate.core.capture import Capture
from tidegate.core.outcome import Refusal
from tidegate.core.probe import SHADOW
from tidegate.core.receipt import METERED, Receipt
from tidegate.core.resilience import Retry
from tidegate.gateway.accept import accept
from tidegate.gateway.attempts import attempts
from tidegate.gateway.cache_control import take_out
from tidegate.gateway.copies import Copies
from tidegate.gateway.decline import declined
from tidegate.gateway.demand import demand_of
from tidegate.gateway.entry import Entry
from tidegate.gateway.guard import guard_at_once, judges_long
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.pick import leave
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedCandidate, PreparedRoute
from tidegate.gateway.probe import Nobody
from tidegate.gateway.progress import Progress
from tidegate.gateway.prompted import written
from tidegate.gateway.settle import settle
from tidegate.gateway.size import size
from tidegate.gateway.unseen import has_servers
from tidegate.gateway.world import World
from tidegate.text import tokens

log = logging.getLogger(__name__)

_ONCE: Final = Retry(attempts=1)
_NULL: Final = Raw(b"null")
_encode: Final = msgspec.json.Encoder().encode


class Shadows:
    """The copies under way in this process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    def __len__(self) -> int:
        return len(self._tasks)

    def follow(self, incoming: Incoming, entry: Entry, receipt: Receipt) -> None:
        """Copies a request that has been settled, if it is drawn. Never raises, never waits."""
        plan = self._world.plan
        route = None if plan is None else plan.routes.get(receipt.route or "")
        coming = () if route is None else route.candidates
        candidate = next((one for one in coming if one.rollout == receipt.rollout), None)
        if plan is None or candidate is None:
            return
        if receipt.endpoint in METERED:
            return  # nobody compares what is no text
        answered = receipt.arm == "stable" and receipt.error_code is None
        if not answered or clock.fraction() >= candidate.shadow_share:
            return
        try:
            self._copy(incoming, entry, receipt, plan, candidate)
        except Exception:  # its caller has nothing to do with it
            log.exception("a request could not be copied")

    async def stop(self) -> None:
        """Ends every copy; each leaves its receipt."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _copy(
        self,
        incoming: Incoming,
        entry: Entry,
        receipt: Receipt,
        plan: PreparedPlan,
        candidate: PreparedCandidate,
    ) -> None:
        """Begins a copy, unless it would be in anybody's way."""
        copies = candidate.copies
        why = "stopped" if self._stopped else _why_none(copies, self._world)
        if why is not None:
            copies.skipped[why] += 1
            return
        try:
            progress = _begin(incoming, entry, receipt, candidate, self._world)
        except Refusal:  # what the release asks of its callers is another thing, such as variables
            copies.skipped["refused"] += 1
            return
        most_nanousd = _most_nanousd(progress, plan)
        why = _why_not(progress, self._world)
        if why is None and not copies.affords(most_nanousd, candidate.shadow_nanousd):
            why = "money"
        if why is not None:
            copies.skipped[why] += 1
            return
        # Held before the task has its first turn: others may be drawn until then.
        copies.begin(most_nanousd or 0)
        coroutine = _ask(progress, plan, self._world)
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        ended = partial(self._ended, progress.receipt, copies, most_nanousd or 0)
        task.add_done_callback(ended)

    def _ended(
        self, copy: Receipt, copies: Copies, most_nanousd: int, task: asyncio.Task[None]
    ) -> None:
        self._tasks.discard(task)
        cost = copy.cost_nanousd
        copies.end(most_nanousd, (copy.most_nanousd or 0) if cost is None else cost)


def _begin(
    incoming: Incoming,
    entry: Entry,
    receipt: Receipt,
    candidate: PreparedCandidate,
    world: World,
) -> Progress:
    """A request of nobody that says what the other said. It is asked once, of the release's own."""
    copy = Receipt(world.ids.new(), clock.wall_s(), world.gateway, entry.endpoint)
    ask = accept(incoming, entry, copy)
    if ask.dialect == OPENAI_RESPONSES:
        ask.members = {**ask.members, "store": Raw(b"false")}
        ask.body = _encode(ask.members)
    _disown(copy)
    copy.purpose, copy.priority, copy.arm = SHADOW, "batch", "shadow"
    copy.shadow_of, copy.rollout = receipt.id, candidate.rollout
    copy.unit, copy.unit_kind = receipt.unit, receipt.unit_kind
    whole = candidate.route
    copy.route, copy.release = receipt.route, whole.route.release.name
    copy.plan_version = world.obeyed().plan.version  # which may be newer than the caller's
    if whole.cache is not None or whole.vectors is not None:
        take_out(ask)
    nobody = Nobody(world.listener)
    progress = Progress(copy, nobody, clock.monotonic_s(), nobody.abort)
    if judges_long(ask, whole):
        raise Refusal("guardrail_unavailable", "the loop is not held for a copy")
    if not guard_at_once(progress, ask, whole):
        raise Refusal("guardrail_unavailable", "no address is asked about a copy")
    capture = _capture(progress, whole)
    whole = written(ask, whole, copy)
    size(ask, copy, whole.output_cap_tokens)
    progress.dialect, progress.ask = entry.dialect, ask
    once = replace(whole.route, retry=_ONCE, capture=capture)
    progress.route = replace(whole, fallbacks={}, route=once)
    return progress


def _capture(progress: Progress, whole: PreparedRoute) -> Capture | None:
    """What is kept of it. Nobody has its answer, so that guardrails look through that only where it
    is kept; and where an address would have to be asked, it is not."""
    capture = whole.route.capture
    output = None if whole.guardrails is None else whole.guardrails.output
    if capture is None or output is None or SHADOW not in capture.also or output.checks:
        progress.guarding = None
        return None if output is not None and output.checks else capture
    return capture


def _disown(copy: Receipt) -> None:
    """It is no part of what its caller does, nor of any session."""
    copy.end_user = copy.session_id = copy.client_request_id = copy.conversation = None
    copy.trace_id = copy.retry_count = copy.retrieval_s = copy.tool_s = None


def _most_nanousd(progress: Progress, plan: PreparedPlan) -> int | None:
    """The most that it can cost: nothing at an engine of ours that has no price; None: unknown."""
    ask, route = progress.ask, progress.route
    assert ask is not None and route is not None  # noqa: S101 - see `_begin`
    if not any(share.target.provider.hosted or share.target.ceiling for share in route.pool):
        return 0
    assumed_tokens = plan.plan.assumed_output_tokens
    return demand_of(ask, progress.receipt, route.bound, assumed_tokens).cost_nanousd


def _why_none(copies: Copies, world: World) -> str | None:
    """Why none is sent now, whatever it is, in a word; it is not read again then."""
    if world.journal.full:
        return "journal"
    if world.pressure.sheds:
        return "pressure"
    return "in_flight" if copies.full else None


def _why_not(progress: Progress, world: World) -> str | None:
    """Why it is not sent, in a word. Callers go first wherever there is not room for all."""
    ask, route = progress.ask, progress.route
    assert ask is not None and route is not None  # noqa: S101 - see `_begin`
    if ask.members.get("previous_response_id", _NULL) != _NULL:
        return "stored"  # what it goes on from is kept by whoever answered before
    if has_servers(ask):
        return "servers"  # what they are asked to do is done already
    serving = [share.target for share in route.serving(ask)]
    if route.off is not None or not serving:
        return "unserved"
    wanted, now_s = tokens.estimate(len(ask.body)), clock.monotonic_s()
    if all(it.troubled or it.throttled(wanted, now_s) for it in serving):
        return "resting"
    places = [world.queues.at(target.target) for target in serving]
    if all(it.line.count or it.in_flight >= it.limit.limit for it in places):
        return "busy"
    return None


async def _ask(progress: Progress, plan: PreparedPlan, world: World) -> None:
    """The life of one, from its target to settle."""
    receipt = progress.receipt
    try:
        with declined(progress):
            await attempts(progress, plan, world)
            receipt.status = 200
    finally:
        try:
            settle(progress, world)
        finally:
            leave(progress, receipt.error_code)
