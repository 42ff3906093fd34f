"""cache: a kept answer instead of a new one, where the same was asked before.

A request that finds none asks, and others that ask the same meanwhile wait for it; before it asks
it may be given the answer to another wording (`semantic`). What it was answered is kept if it is
whole and good for others (`keeping`).
"""

from typing import Final

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.cache import Outcome
from tidegate.core.kept_answer import Found
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.purpose import is_production
from tidegate.gateway.answer_head import waiting_head
from tidegate.gateway.cache_control import Directives, directives
from tidegate.gateway.cache_key import PreparedCache
from tidegate.gateway.caching import Caching
from tidegate.gateway.canonical import canonical, says_twice
from tidegate.gateway.give import give
from tidegate.gateway.grant import refuse_rest
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.pick import leave
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.progress import Progress
from tidegate.gateway.refresh import refresh
from tidegate.gateway.semantic import fits, near_of, nearest
from tidegate.gateway.settle import account_attempt, settle_attempt
from tidegate.gateway.unseen import has_hosted_tools, has_servers
from tidegate.gateway.vectors import vectors
from tidegate.gateway.world import World

_MISS: Final = b"x-tidegate-cache: miss\r\n"
_BYPASS: Final = b"x-tidegate-cache: bypass\r\n"
_TOOLS: Final = frozenset({"tools", "mcp_servers", "web_search_options"})
_NOT_STORED: Final = (b"", b"false", b"null")
# Their no that says nothing of the request: somebody else's answer may stand in for it.
_OUTAGES: Final = frozenset({"unavailable", "rate_limited", "malformed", "interrupted", "timeout"})
_FULL: Final = frozenset({"overloaded", "route_off", "credential_missing"})
# So many are waited for whose answers were invalidated before it came; then it asks itself.
_MOST_FLIGHTS: Final = 3


async def cache(
    progress: Progress, incoming: Incoming, key: KeyRecord, plan: PreparedPlan, world: World
) -> bool:
    """Whether its caller has a kept answer. Refusal where it may have no other; Failure once it
    waits no longer."""
    ask, route, receipt = progress.ask, progress.route, progress.receipt
    assert ask is not None and route is not None  # noqa: S101 - the stages before
    if ask.endpoint == "embeddings" and route.vectors is not None:
        return await vectors(progress, incoming, world)
    if route.cache is None or ask.metered is not None:
        return False
    began_s = clock.monotonic_s()
    told = directives(incoming.head.headers, ask)
    caching = progress.caching = _look(progress, ask, route.cache, told, world)
    caching.mark = world.cache.mark(progress.received_s)
    receipt.cache = "miss"
    if caching.key is None:
        receipt.cache = "bypass"
        refuse_rest(progress)
        return False
    found = None
    if told.reads and caching.exact is not None:
        found = await world.cache.of(route.route, "exact", caching.exact).get(caching.key)
        receipt.cache_lookup_s = clock.monotonic_s() - began_s
    how: Outcome | None = None
    if found is not None and world.cache.is_current(found):
        how = _judge(found, caching, told)
    if how != "hit" and caching.asked is not None:
        caching.near = near_of(progress, caching.asked, route.cache, told, world)
        caching.asked = None
    if found is not None and how is not None and give(progress, found, how, world):
        if how == "stale" and progress.cache_only is None:
            refresh(progress, key, plan, world)
        return True
    caching.keeps = caching.keeps and not says_twice(ask.body)
    if told.reads and caching.keeps and await _joined(progress, caching, told, world):
        return True
    if told.reads and caching.near is not None and await _near(progress, caching, told, world):
        return True
    refuse_rest(progress)
    return False


def rescued(progress: Progress, no: Refusal | Failure, world: World) -> bool:
    """Whether an older answer that was kept stands in for the one that nobody has."""
    caching, relay = progress.caching, progress.relay
    if caching is None or caching.old is None or progress.connection.lost:
        return False
    exact, old = caching.exact, caching.old
    if exact is None or old.age_s >= old.answer.fresh_s + max(
        exact.stale_s, exact.stale_if_error_s
    ):
        return False
    if world.cache.invalidations.is_void(old.answer.labels, caching.mark.number):
        return False
    is_outage = no.kind in _OUTAGES if isinstance(no, Failure) else no.code.name in _FULL
    if not is_outage or (relay is not None and relay.flowing):
        return False
    progress.begun = progress.begun or (relay is not None and relay.committed)
    if progress.target is not None:
        leave(progress, no.code.name)
        worked, _ = account_attempt(progress, world)
        settle_attempt(progress, world, worked)
    receipt = progress.receipt
    receipt.refused_by = receipt.rung = receipt.rung_kind = receipt.rung_reason = None
    return give(progress, old, "stale", world)


def _look(
    progress: Progress, ask: Ask, ready: PreparedCache, told: Directives, world: World
) -> Caching:
    """What is looked for; nothing, where nothing that is kept could be its answer."""
    exact, receipt = None if ready.exact_off else ready.exact, progress.receipt
    if not _may_be_kept(progress, ask):
        return Caching(exact, _BYPASS)
    asked = canonical(
        ask.body,
        ask.dialect,
        keeps_sampling=ready.keeps_sampling,
        hears_users=ready.hears_users,
    )
    if asked is None:
        return Caching(exact, _BYPASS)
    if exact is not None and exact.deterministic == "required" and not asked.deterministic:
        exact = None
    near = near_of(progress, asked, ready, told, world) if exact is None else None
    tier = near.semantic if exact is None and near is not None else exact
    if tier is None:
        return Caching(exact, _BYPASS)
    ttl_s = tier.ttl_s if told.ttl_s is None else min(told.ttl_s, tier.ttl_s)
    if exact is not None:
        key = ready.key(ask, asked, receipt, told.namespace)
    else:  # who may wait for it is for the tier that it is for to say
        assert near is not None  # noqa: S101 - `tier` is its own
        key = near.key
    # What headers have set apart, or a release under way, nobody in front of us can tell apart.
    apart = bool(told.namespace or ask.passed) or receipt.rollout is not None
    return Caching(
        exact,
        _MISS,
        key,
        keeps=told.keeps,
        ttl_s=ttl_s,
        release=receipt.release,
        tags=ready.tags + told.tags,
        sources=told.sources,
        public=exact is not None and exact.public and not apart,
        near=near,
        asked=asked if near is None and ready.semantic is not None else None,
    )


def _may_be_kept(progress: Progress, ask: Ask) -> bool:
    """What measures us is asked in earnest; what a provider keeps, or does besides answering, is
    not there a second time."""
    receipt = progress.receipt
    if ask.endpoint != "chat" or ask.counts or ask.renamed is not None:
        return False
    if not is_production(receipt.purpose, has_key=receipt.key_id is not None):
        return False
    if bytes(ask.members.get("store", b"")) not in _NOT_STORED:
        return False
    if _TOOLS.isdisjoint(ask.members):
        return True
    if bytes(ask.members.get("web_search_options", b"null")) != b"null":
        return False
    return not has_servers(ask) and not has_hosted_tools(ask)


def _judge(found: Found, caching: Caching, told: Directives) -> Outcome | None:
    """How it may be given now; what may be given later is noted."""
    age_s, exact, fresh_s = found.age_s, caching.exact, found.answer.fresh_s
    if not told.takes(age_s):
        return None
    if age_s < fresh_s:
        return "hit"
    if told.max_age_s is not None or exact is None:
        return None
    if age_s < fresh_s + exact.old_s:
        caching.old = found
    return "stale" if age_s < fresh_s + exact.stale_s else None


async def _near(progress: Progress, caching: Caching, told: Directives, world: World) -> bool:
    """Whether it has the answer to another wording. Those who wait for it may have that too."""
    near, key, receipt = caching.near, caching.key, progress.receipt
    assert near is not None and key is not None  # noqa: S101 - see `cache`
    if progress.cache_only is not None and not near.gives:
        return False
    began_s = clock.monotonic_s()
    found = await nearest(progress, near, told, world)
    receipt.cache_semantic_s = clock.monotonic_s() - began_s
    receipt.cache_lookup_s = (receipt.cache_lookup_s or 0.0) + receipt.cache_semantic_s
    if found is None or not give(progress, found, "hit", world):
        return False
    if caching.leads:
        caching.leads = False
        world.cache.flights.landed(key, found)
    return True


async def _joined(progress: Progress, caching: Caching, told: Directives, world: World) -> bool:
    """Whether it has the answer that another has asked for. Else it asks, for others or alone."""
    flights, key, route = world.cache.flights, caching.key, progress.route
    assert key is not None and route is not None  # noqa: S101 - see `cache`
    if not caching.shares:
        return False
    for _ in range(_MOST_FLIGHTS):
        if progress.cache_only is None and flights.lead(key):
            caching.leads = True
            return False
        if key not in flights:
            return False
        turn = await _wait(progress, key, world)
        if not isinstance(turn, Found):
            if turn == "lead" and progress.cache_only is None:
                caching.leads = True
            elif turn == "lead":
                flights.left(key)  # it may not ask
            return False
        if turn.near is not None:  # it was found, and good, just now
            return fits(turn, caching.near, told) and give(progress, turn, "hit", world)
        labels, invalidations = turn.answer.labels, world.cache.invalidations
        came_before = caching.mark.number <= labels.number
        if came_before or not invalidations.is_void(labels, labels.number):
            return give(progress, turn, "joined", world)
    return False


async def _wait(progress: Progress, key: bytes, world: World) -> Found | str:
    """Failure when its caller waits no longer. A stream's client hears of it meanwhile."""
    ask, until_s = progress.ask, progress.until_s
    assert ask is not None  # noqa: S101 - see `cache`
    if ask.stream:
        progress.head = waiting_head
    patience_s = None if until_s is None else max(until_s - clock.monotonic_s(), 0.0)
    world.pausing.add(progress)
    try:
        return await world.cache.flights.join(key, patience_s)
    except TimeoutError:
        message = "the same is being asked already, and the caller waits no longer"
        raise Failure("timeout", "upstream_timeout", message) from None
    finally:
        world.pausing.discard(progress)
