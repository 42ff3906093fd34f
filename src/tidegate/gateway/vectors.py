"""vectors: kept vectors instead of new ones, for each item of a request for embeddings.

A request all of whose items are kept has its answer at once. Of any other only what is missing is
asked for, and is kept afterwards (`vector_keeping`). Two that ask the same at once both ask.
"""

import asyncio
from functools import partial
from typing import Final

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.kept_answer import Found
from tidegate.core.outcome import Refusal
from tidegate.core.purpose import is_production
from tidegate.gateway.answer_head import kept_head
from tidegate.gateway.attempts import attempts
from tidegate.gateway.batch import Batch, agreeing
from tidegate.gateway.cache_control import Directives, directives
from tidegate.gateway.grant import refuse_rest
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.pick import leave
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.progress import Progress
from tidegate.gateway.settle import account_attempt, settle_attempt
from tidegate.gateway.vector_form import turned
from tidegate.gateway.vector_keeping import AT_ONCE
from tidegate.gateway.vector_key import PreparedVectors, read_items
from tidegate.gateway.world import World

_DEARER: Final = "its kept vectors are of another model, and asking anew may cost more than is left"
_BYPASS: Final = b"x-tidegate-cache: bypass\r\n"
_AGES: Final = b"cache-control: private, max-age=%d\r\n"


async def vectors(progress: Progress, incoming: Incoming, world: World) -> bool:
    """Whether its caller has an answer of kept vectors alone. Refusal where it may have no other.
    What a request says of the cache is obeyed as by `cache`."""
    ask, route, receipt = progress.ask, progress.route, progress.receipt
    assert ask is not None and route is not None and route.vectors is not None  # noqa: S101
    began_s = clock.monotonic_s()
    told = directives(incoming.head.headers, ask)
    batch = progress.batch = _look(progress, ask, route.vectors, told)
    if batch is None:
        receipt.cache = "bypass"
        world.cache.lookups[route.route.name, "embeddings", "bypass"] += 1
        progress.route = replace(route, told=route.told + _BYPASS)
        refuse_rest(progress)
        return False
    batch.mark = world.cache.mark(progress.received_s)
    batch.note(receipt, {})
    if told.reads:
        await _find(batch, route, told, world)
        receipt.cache_lookup_s = clock.monotonic_s() - began_s
        for name, found in batch.found.items():
            if len(found) == len(batch.asked.items):
                _serve(progress, batch, route, name)
                return True
    refuse_rest(progress)
    return False


async def ask_whole(progress: Progress, plan: PreparedPlan, world: World) -> None:
    """Once more, and for every item, where what came does not go with what was kept. Refusal or
    Failure, or Withdrawn, as `attempts`."""
    batch, admitted = progress.batch, progress.admitted
    if batch is None or not batch.mixed:
        return
    leave(progress, None)
    worked, wasted_nanousd = account_attempt(progress, world)
    if wasted_nanousd and admitted is not None and not await admitted.hold_more(wasted_nanousd):
        raise Refusal("insufficient_quota", _DEARER)
    settle_attempt(progress, world, worked)
    progress.replica = progress.target = None
    batch.whole, batch.mixed, batch.body = True, False, None
    await attempts(progress, plan, world)


def _look(progress: Progress, ask: Ask, ready: PreparedVectors, told: Directives) -> Batch | None:
    """What is looked for; None where nothing that is kept could be its answer."""
    receipt = progress.receipt
    if ready.off or not is_production(receipt.purpose, has_key=receipt.key_id is not None):
        return None
    asked = read_items(ask, hears_users=ready.hears_users)
    if asked is None:
        return None
    keys = ready.keys(asked, receipt, told.namespace)
    ttl_s = ready.tier.ttl_s if told.ttl_s is None else min(told.ttl_s, ready.tier.ttl_s)
    return Batch(
        ready.tier,
        asked,
        keys,
        receipt.release,
        told.keeps,
        ttl_s,
        ask.members,
        tags=ready.tags + told.tags,
        sources=told.sources,
    )


async def _find(batch: Batch, route: PreparedRoute, told: Directives, world: World) -> None:
    """What is kept of the batch, of each target whose answers are the release's own."""
    answers = world.cache.of(route.route, "embeddings", batch.tier)
    every = [key for keys in batch.keys.values() for key in keys]
    found = iter(await answers.get_many(every))
    for name, keys in batch.keys.items():
        here = {
            at: one
            for at, one in zip(range(len(keys)), found, strict=False)
            if one is not None and world.cache.is_current(one) and _is_fresh(one, told)
        }
        batch.found[name] = await _turned(agreeing(here), packed=batch.asked.packed)


async def _turned(found: dict[int, Found], *, packed: bool) -> dict[int, Found]:
    """In the form that is asked for: thousands that have to be turned would hold the loop."""
    forms = dict(found)
    for count, (at, one) in enumerate(found.items(), 1):
        body = turned(one.answer.body, packed=packed)
        if body is not one.answer.body:
            forms[at] = Found(replace(one.answer, body=body), one.age_s, {})
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
    return forms


def _is_fresh(found: Found, told: Directives) -> bool:
    age_s = found.age_s
    if told.max_age_s is not None and age_s > told.max_age_s:
        return False
    return age_s < found.answer.fresh_s and (told.ttl_s is None or age_s < told.ttl_s)


def _serve(progress: Progress, batch: Batch, route: PreparedRoute, target: str) -> None:
    ask, receipt, found = progress.ask, progress.receipt, batch.found[target]
    assert ask is not None  # noqa: S101 - see `vectors`
    batch.note(receipt, found)
    receipt.model_served = found[0].answer.model_served
    # One that is switched off is in the release, and not among those that are asked.
    made_by = next(it.target for it in route.route.release.shares if it.target.name == target)
    body = batch.kept_whole(target, made_by.model)
    told = batch.told + _AGES % min(it.answer.fresh_s for it in found.values())
    head = kept_head(progress, ask, target, receipt.cache_age_s or 0.0, told)
    progress.ending = partial(progress.connection.send, head, body)
