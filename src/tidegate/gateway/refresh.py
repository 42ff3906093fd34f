"""refresh: what is stale is asked anew, once, by nobody's leave to wait for it.

The request that found it stale has its answer already. Another one in its name is asked at its
key's expense and within its limits; nobody hears the answer but the cache.
"""

import asyncio
import logging
from typing import Final

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.key import KeyRecord
from tidegate.core.receipt import Receipt
from tidegate.gateway.attempts import attempts
from tidegate.gateway.caching import Caching
from tidegate.gateway.decline import declined
from tidegate.gateway.grant import admit, refuse_rest
from tidegate.gateway.keeping import keep
from tidegate.gateway.pick import leave
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.probe import Nobody
from tidegate.gateway.progress import Progress
from tidegate.gateway.settle import settle
from tidegate.gateway.world import World

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 64


def refresh(progress: Progress, key: KeyRecord, plan: PreparedPlan, world: World) -> None:
    """Begins it, unless the same is being asked, or callers want for what it takes."""
    caching, cache = progress.caching, world.cache
    route = progress.route
    if route is None or (route.ladder is not None and route.ladder.floor):
        return  # it is not asked now, and a ladder is for who waits
    busy = world.journal.full or world.pressure.sheds or cache.stopped
    if caching is None or caching.key is None or busy or len(cache.tasks) >= MOST_AT_ONCE:
        return
    if not caching.keeps or not cache.flights.lead(caching.key):
        return
    again = _begin(progress, caching, world)
    task = asyncio.get_running_loop().create_task(_ask(again, key, plan, world))
    cache.tasks.add(task)
    task.add_done_callback(cache.tasks.discard)


def _begin(progress: Progress, caching: Caching, world: World) -> Progress:
    """The request once more, in nobody's name but its key's."""
    before = progress.receipt
    copy = Receipt(world.ids.new(), clock.wall_s(), world.gateway, before.endpoint)
    for name in _SAME:
        setattr(copy, name, getattr(before, name))
    copy.priority, copy.cache, copy.cache_from = "batch", "refresh", before.cache_from
    nobody = Nobody(world.listener)
    again = Progress(copy, nobody, clock.monotonic_s(), nobody.abort)
    assert progress.ask is not None  # noqa: S101 - it has been answered
    again.dialect, again.route, again.ask = progress.dialect, progress.route, replace(progress.ask)
    near = None if caching.near is None else replace(caching.near, coming=None)
    again.caching = replace(caching, leads=True, old=None, near=near)
    return again


_SAME: Final = (
    *("plan_version", "key_id", "team", "customer", "end_user", "environment", "purpose"),
    *("attributes", "route", "release", "prompt", "prompt_version", "dialect", "model_asked"),
    *("stream", "input_bytes", "output_ceiling_tokens", "choices"),
)


async def _ask(progress: Progress, key: KeyRecord, plan: PreparedPlan, world: World) -> None:
    """Its life from its limits to settle."""
    receipt = progress.receipt
    try:
        with declined(progress):
            if plan.limits.any or key.limits is not None:
                await admit(progress, key, plan, world)
                refuse_rest(progress)
            await attempts(progress, plan, world)
            receipt.status = 200
    finally:
        try:
            settle(progress, world)
        finally:
            leave(progress, receipt.error_code)
            keep(progress, world)
