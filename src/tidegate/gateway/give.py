"""give: a kept answer to whoever asks, whole or as a stream, as he wants it."""

from functools import partial
from typing import Final

from tidegate.core import clock
from tidegate.core.cache import Outcome
from tidegate.core.kept_answer import Found
from tidegate.core.plan import Route
from tidegate.gateway.answer_head import kept_head
from tidegate.gateway.caching import Caching
from tidegate.gateway.guard import guard_given, is_checked
from tidegate.gateway.likeness import Likeness
from tidegate.gateway.progress import Given, Progress
from tidegate.gateway.replay import replayed
from tidegate.gateway.world import World

_TOLD: Final = (
    b"x-tidegate-cache: %b\r\nx-tidegate-cache-tier: %b\r\ncache-control: %b, max-age=%d%b\r\n"
)


def give(progress: Progress, found: Found, how: Outcome, world: World) -> bool:
    """Its answer, as what the request ends by; False where it cannot be had in that form."""
    ask, route, caching, kept = progress.ask, progress.route, progress.caching, found.answer
    assert ask is not None and route is not None and caching is not None  # noqa: S101
    form = (ask.stream, ask.include_usage)
    body = found.forms.get(form)
    if body is None:
        provider = None if route.cache is None else route.cache.providers.get(kept.target)
        if provider is None:
            return False
        body = replayed(ask, kept, provider, world.dialects[ask.dialect])
        if body is None:
            return False
        found.forms[form] = body
        # Forms that those who waited share go with the last of them.
        if how != "joined" and body is not kept.body:
            _grew(route.route, caching, found, len(body), world)
    given = body
    if progress.guarding is not None:
        given = guard_given(progress, body, world)
    _note(progress, found, how)
    if found.near is not None:
        caching.like = Likeness(found.near.question, found, found.near.score)
    if world.captures is not None:
        world.captures.gave(progress, kept)
    head = None
    if not progress.begun:
        told = _told(how, caching, found)
        head = kept_head(progress, ask, kept.target, found.age_s, told)
    if progress.guarding is not None and is_checked(progress):
        progress.given = Given(head, given)
    if head is None:
        progress.ending = partial(_go_on, progress, given)
    else:
        progress.ending = partial(progress.connection.send, head, given)
    return True


def _grew(route: Route, caching: Caching, found: Found, by_bytes: int, world: World) -> None:
    if found.near is not None and caching.near is not None:
        answers = world.cache.of(route, "semantic", caching.near.semantic)
        answers.grew(found.near.key, by_bytes)
    elif caching.key is not None and caching.exact is not None:
        world.cache.of(route, "exact", caching.exact).grew(caching.key, by_bytes)


def _go_on(progress: Progress, body: bytes) -> None:
    """Ends a stream whose head has gone before."""
    progress.connection.finish(body)


def _note(progress: Progress, found: Found, how: Outcome) -> None:
    receipt, kept = progress.receipt, found.answer
    receipt.cache, receipt.cache_tier = how, "exact" if found.near is None else "semantic"
    if found.near is not None:
        receipt.cache_score = found.near.score
    receipt.cache_age_s, receipt.cache_from = max(found.age_s, 0.0), kept.receipt_id
    receipt.saved_nanousd, receipt.saved_s = kept.cost_nanousd, kept.took_s
    receipt.finish_reason, receipt.model_served = kept.finish_reason, kept.model_served
    receipt.validity = kept.validity
    receipt.dropped = list(kept.dropped)
    if receipt.stream:
        receipt.ttft_s = clock.monotonic_s() - progress.received_s


def _told(how: Outcome, caching: Caching, found: Found) -> bytes:
    """How it was found, and what a cache in front may make of it."""
    exact, whose, more = caching.exact, b"private", b""
    tier = b"exact" if found.near is None else b"semantic"
    if caching.public and exact is not None and found.near is None:
        whose = b"public"
        if exact.stale_s:
            more += b", stale-while-revalidate=%d" % exact.stale_s
        if exact.stale_if_error_s:
            more += b", stale-if-error=%d" % exact.stale_if_error_s
    return _TOLD % (how.encode(), tier, whose, found.answer.fresh_s, more)
