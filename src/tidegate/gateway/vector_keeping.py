"""vector_keeping: the vectors that a settled request has had made are kept, each by itself.

Beside the request, a few at a time: a batch may hold thousands.
"""

import asyncio
import logging
from typing import Final

from msgspec.structs import replace

from tidegate.core.cache import ANSWERED
from tidegate.core.kept_answer import KeptAnswer
from tidegate.gateway.answer_labels import labels_of
from tidegate.gateway.batch import Batch, rows_of
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.progress import Progress
from tidegate.gateway.vector_form import length, to_keep
from tidegate.gateway.world import World

log = logging.getLogger(__name__)

# So many are judged and kept in one turn of the loop.
AT_ONCE: Final = 32
# Batches that are being kept at once; of more nothing is.
MOST_BATCHES: Final = 64


def keep_vectors(progress: Progress, world: World) -> None:
    """Begins to keep them, if they are good for others. Once, after settle."""
    batch, receipt, cache = progress.batch, progress.receipt, world.cache
    route = receipt.route or ""
    if receipt.cache is not None:
        cache.lookups[route, "embeddings", receipt.cache] += 1
    if batch is None or progress.route is None:
        return
    hits = receipt.cache_item_hits or 0
    cache.items[route, "hit"] += hits
    cache.items[route, "miss"] += (receipt.cache_items or 0) - hits
    if receipt.cache in ANSWERED or not batch.keeps:
        return
    why = _why_not(progress, batch)
    if why is None and (len(cache.tasks) >= MOST_BATCHES or cache.stopped):
        why = "busy"
    if why is not None:
        cache.unkept[route, why] += len(batch.missing)
        return
    if receipt.model_served is not None:
        cache.served[batch.target] = receipt.model_served
    task = asyncio.get_running_loop().create_task(
        _keep(batch, _judged(progress, batch), progress.route, world)
    )
    cache.tasks.add(task)
    task.add_done_callback(cache.tasks.discard)


def _why_not(progress: Progress, batch: Batch) -> str | None:
    receipt = progress.receipt
    if receipt.error_code is not None or receipt.status != 200 or batch.body is None:
        return "failed"
    if receipt.release != batch.release or batch.target not in batch.keys:
        return "fallback"
    return None


def _judged(progress: Progress, batch: Batch) -> KeptAnswer:
    """What all vectors of the answer have in common."""
    receipt = progress.receipt
    took_s = receipt.total_s or 0.0
    return KeptAnswer(
        receipt_id=receipt.id,
        made_at_s=receipt.started_at_s + took_s,
        fresh_s=batch.ttl_s,
        target=batch.target,
        streamed=False,
        body=b"",
        model_served=receipt.model_served,
        cost_nanousd=receipt.attempts[-1].cost_nanousd,
        took_s=took_s,
        labels=labels_of(progress, "embeddings"),
    )


async def _keep(batch: Batch, like: KeptAnswer, route: PreparedRoute, world: World) -> None:
    """Never raises."""
    cache = world.cache
    try:
        kept = await _forms(batch)
        if len({length(form) for form in kept.values()}) > 1:
            cache.unkept[route.route.name, "uneven"] += len(kept)
            return
        cache.unkept[route.route.name, "invalid"] += len(batch.missing) - len(kept)
        keys, shares = batch.keys[batch.target], _shares(batch, like.cost_nanousd)
        answers = cache.of(route.route, "embeddings", batch.tier)
        entries = [
            (keys[at], replace(like, body=form, cost_nanousd=shares[at]))
            for at, form in kept.items()
        ]
        for start in range(0, len(entries), AT_ONCE):
            await answers.put_many(entries[start : start + AT_ONCE], batch.ttl_s)
            cache.kept[route.route.name] += len(entries[start : start + AT_ONCE])
    except Exception:
        log.exception("vectors could not be kept")


async def _forms(batch: Batch) -> dict[int, bytes]:
    """What is kept of each item that was asked for, less what is no vector."""
    rows = rows_of(batch.body or b"", len(batch.missing))
    found: dict[int, bytes] = {}
    for count, (at, row) in enumerate(zip(batch.missing, rows or (), strict=False), 1):
        form = to_keep(bytes(row))
        if form is not None:
            found[at] = form
        if count % AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


def _shares(batch: Batch, cost_nanousd: int | None) -> dict[int, int | None]:
    """What each item has cost: its part of the whole, by its length, as nobody tells it apart."""
    sizes = {at: len(batch.asked.items[at]) for at in batch.missing}
    total = sum(sizes.values())
    return {
        at: None if cost_nanousd is None else cost_nanousd * size // total
        for at, size in sizes.items()
    }
