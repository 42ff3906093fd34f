"""keeping: whether a settled answer is good for others, and what becomes of those who wait for it.

Kept is what is whole, valid, and no refusal, of the release that the request was meant for. What
calls a tool would have it act again for somebody else. Of all else only its caller hears.
"""

import logging
from typing import Final

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.conversation import Text, ToolCall
from tidegate.core.kept_answer import Found, KeptAnswer
from tidegate.core.plan import Route
from tidegate.gateway.answer_labels import labels_of
from tidegate.gateway.caching import Caching
from tidegate.gateway.chain import TIMER_S
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.replay import spoken_of
from tidegate.gateway.world import World
from tidegate.text.model_refusal import MAX_BYTES, model_refusal

log = logging.getLogger(__name__)

_ENDED: Final = frozenset({"stop", "stop_sequence"})
# Why an answer was not kept: it failed, or its caller left, or would wait no longer, before there
# was one.
_FAILED: Final = "failed"
_LEFT: Final = "left"


def keep(progress: Progress, world: World) -> None:
    """Keeps the answer if others may have it, and tells those who wait. Once, after settle."""
    caching, receipt = progress.caching, progress.receipt
    if receipt.cache is not None:
        tier = receipt.cache_tier or "exact"
        world.cache.lookups[receipt.route or "", tier, receipt.cache] += 1
    if caching is None or caching.key is None or not (caching.leads or caching.keeps):
        return
    try:
        _keep(progress, caching, caching.key, world)
    except Exception:
        log.exception("an answer could not be kept")
        if caching.leads:
            world.cache.flights.failed(caching.key)


def _keep(progress: Progress, caching: Caching, key: bytes, world: World) -> None:
    receipt = progress.receipt
    flights, cache = world.cache.flights, world.cache
    if receipt.cache not in ("miss", "refresh"):  # it has had an older one
        if caching.leads:
            flights.failed(key)
        return
    route = receipt.route or ""
    target = progress.target
    if target is not None and receipt.model_served is not None and receipt.error_code is None:
        cache.served[target.target.name] = receipt.model_served
    why = _why_not(progress, caching)
    if why is None:
        kept = _kept(progress, caching)
        if caching.leads:
            flights.landed(key, Found(kept, 0.0, {}))
        if cache.invalidations.is_void(kept.labels, caching.mark.number):
            cache.unkept[route, "invalidated"] += 1
        elif caching.keeps and progress.route is not None:
            _put(progress.route.route, caching, key, kept, world)
        return
    if caching.near is not None and caching.near.coming is not None:
        caching.near.coming.cancel()
    cache.unkept[route, why] += 1
    if not caching.leads:
        return
    if why == _LEFT:
        flights.left(key)
    elif why == _FAILED:
        flights.failed(key)
    else:
        flights.alone(key)


def _put(route: Route, caching: Caching, key: bytes, kept: KeptAnswer, world: World) -> None:
    """Into each tier that has room for it."""
    cache, exact, near, size = world.cache, caching.exact, caching.near, len(kept.body)
    if exact is not None and size <= exact.max_entry_bytes:
        cache.of(route, "exact", exact).put(key, kept, caching.ttl_s + exact.old_s)
    if near is not None and size <= near.semantic.max_entry_bytes:
        answers = cache.of(route, "semantic", near.semantic)
        labels = replace(kept.labels, tier="semantic")
        kept = replace(kept, fresh_s=near.ttl_s, labels=labels)
        cache.semantic.keep(route, near, answers, kept)
    cache.kept[route.name] += 1


def _why_not(progress: Progress, caching: Caching) -> str | None:
    """Why nobody else may have its answer; None where anybody may who asks the same."""
    receipt, target, ask, route = progress.receipt, progress.target, progress.ask, progress.route
    failed = receipt.error_code is not None or receipt.cancelled_by is not None
    if failed or receipt.interrupted or receipt.status != 200:
        return _LEFT if _waits_no_longer(progress) else _FAILED
    if receipt.rung is not None:
        return "degraded"
    if ask is None or target is None or route is None or route.cache is None:
        return _FAILED
    if receipt.release != caching.release or target.target.name not in route.cache.providers:
        return "fallback"
    if receipt.finish_reason == "tool_calls" or _calls(progress):
        return "calls"
    if receipt.finish_reason != "stop":
        return "unfinished"
    if receipt.validity not in (None, "valid") or receipt.usage_conflict:
        return "invalid"
    if receipt.model_refusal not in (None, "none"):
        return "refused"
    body = caching.heard()
    if body is None:
        return "too_large"
    return _of_several(ask, body, target)


def _calls(progress: Progress) -> bool:
    """Whether the answer has a tool called, whatever it says of its end."""
    relay, answer = progress.relay, progress.answer
    if relay is not None:
        return relay.reader.called
    return answer is not None and any(one.calls or one.acts for one in answer.said)


def _waits_no_longer(progress: Progress) -> bool:
    """Whether its caller has gone, or its deadline has passed: neither tells of the question."""
    late_s = progress.caller_until_s
    return progress.receipt.cancelled_by == "client" or (
        late_s is not None and clock.monotonic_s() >= late_s - TIMER_S
    )


def _of_several(ask: Ask, body: bytes, target: PreparedTarget) -> str | None:
    """Why nobody else may have it, of what the receipt does not tell: whether every choice that was
    asked for is there, with something in it, to its end, and none of them is a refusal."""
    if ask.choices == 1:
        return None
    spoken = spoken_of(ask, body, target.provider, streamed=ask.stream)
    if spoken is None or len(spoken.choices) != ask.choices:
        return "unfinished"
    for choice in spoken.choices:
        said = "".join(it.text for it in choice.parts if isinstance(it, Text))
        if any(isinstance(it, ToolCall) for it in choice.parts):
            return "calls"
        if choice.reason not in _ENDED or not said:
            return "unfinished"
        if model_refusal(said[:MAX_BYTES].encode()).extent != "none":
            return "refused"
    return None


def _kept(progress: Progress, caching: Caching) -> KeptAnswer:
    receipt, ask, body = progress.receipt, progress.ask, caching.heard()
    assert ask is not None and body is not None  # noqa: S101 - see `_why_not`
    took_s = receipt.total_s or 0.0
    return KeptAnswer(
        receipt_id=receipt.id,
        made_at_s=receipt.started_at_s + took_s,
        fresh_s=caching.ttl_s,
        target=receipt.target or "",
        streamed=ask.stream,
        body=body,
        finish_reason=receipt.finish_reason,
        model_served=receipt.model_served,
        validity=receipt.validity,
        dropped=tuple(receipt.dropped),
        cost_nanousd=receipt.attempts[-1].cost_nanousd,
        took_s=took_s,
        labels=labels_of(progress, "exact"),
    )
