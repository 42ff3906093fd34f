"""semantic: the kept answer to another wording of the question.

All but the wording is equal first: that is the partition. Of its questions the nearest has to be
near enough, and nothing may speak against it. What an index says is not believed: an answer's key
is made of the partition and of its question, so that one of another partition cannot be taken.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.cache import SemanticCache
from tidegate.core.encoding import Encoder, Vector
from tidegate.core.judged_hit import compared_by
from tidegate.core.kept_answer import Answers, Found, Nearness
from tidegate.core.neighbours import Neighbour, Vectors
from tidegate.gateway.cache_control import Directives
from tidegate.gateway.cache_key import PreparedCache, answer_key
from tidegate.gateway.caching import First, Near
from tidegate.gateway.canonical import Canonical
from tidegate.gateway.encodings import Encodings
from tidegate.gateway.likeness import Likeness
from tidegate.gateway.progress import Progress
from tidegate.gateway.question import question_of
from tidegate.gateway.semantic_tier import is_outdated
from tidegate.gateway.world import World
from tidegate.text.language import language_of
from tidegate.text.veto import VERSION, veto

# How long a caller waits for a vector.
PATIENCE_S: Final = 0.05
MOST_NEIGHBOURS: Final = 5
# What a prefilter sees no nearer than this is hardly ever the same to another: `bench wordings`.
PREFILTER_LEAST: Final = 0.6
# While nothing has been learnt, what is no nearer than this is not noted as another wording.
SHADOW_LEAST: Final = 0.5
# Of a route that captures, what is as near as this is noted for judges whatever the threshold: by
# what they say of it another threshold is learnt.
JUDGED_LEAST: Final = 0.8


def near_of(
    progress: Progress, asked: Canonical, ready: PreparedCache, told: Directives, world: World
) -> Near | None:
    """What is to be compared; None where this request is not for that tier, or it is off."""
    ask, semantic, receipt = progress.ask, ready.semantic, progress.receipt
    assert ask is not None  # noqa: S101 - see `cache`
    if semantic is None or ready.semantic_off or not told.near:
        return None
    if semantic.deterministic == "required" and not asked.deterministic:
        return None
    encoding = world.cache.semantic.encoding(semantic.encoder)
    if encoding is None or encoding.encoder is None:
        _count(progress, world, "off")
        return None
    question = question_of(asked, ask.dialect)
    if question is None:
        _count(progress, world, "incomparable")
        return None
    language, rest = language_of(question.text), question.rest

    def partition_of(version: str) -> bytes:
        how = (version, language, rest)
        return ready.partition(ask, asked, receipt, told.namespace, how)

    partition = partition_of(encoding.encoder.version)
    return Near(
        semantic,
        question.text,
        partition,
        answer_key(partition, question.text),
        semantic.ttl_s if told.ttl_s is None else min(told.ttl_s, semantic.ttl_s),
        _threshold(semantic, encoding.encoder, max(ready.floor, told.least_score)),
        _first(semantic, question.text, partition_of, world),
        compared_by(encoding.encoder.version, VERSION),
    )


def _threshold(semantic: SemanticCache, encoder: Encoder, floor: float) -> float | None:
    """None: nothing was learnt, or with another encoder or veto than there is here."""
    if semantic.threshold is None or is_outdated(semantic, encoder):
        return None
    return max(semantic.threshold, floor)


def _first(
    semantic: SemanticCache, text: str, partition_of: Callable[[str], bytes], world: World
) -> First | None:
    """None where there is no prefilter, or it cannot say at once."""
    if semantic.prefilter is None:
        return None
    encoding = world.cache.semantic.encoding(semantic.prefilter)
    if encoding is None or encoding.encoder is None:
        return None
    vector = encoding.at_once(text)
    return None if vector is None else First(partition_of(encoding.encoder.version), vector)


async def nearest(progress: Progress, near: Near, told: Directives, world: World) -> Found | None:
    """The answer that its caller may have. One that he only would have had is noted."""
    route, receipt = progress.route, progress.receipt
    assert route is not None  # noqa: S101 - see `cache`
    tier = world.cache.semantic
    answers = world.cache.of(route.route, "semantic", near.semantic)
    said = await answers.get(near.key)  # the same wording needs no vector
    found = _given(said, Nearness(near.partition, near.key, 1.0, near.question), told, world)
    if found is not None and progress.caching is not None:
        progress.caching.like = Likeness(near.question, found, 1.0)
    if found is None:
        encoding = tier.encoding(near.semantic.encoder)
        if encoding is None:
            _count(progress, world, "off")
            return None
        vectors = tier.vectors.of(route.route, near.semantic)
        if near.first is not None and not await _may_be_near(near.first, vectors):
            _count(progress, world, "far")
            return None
        vector = await _vector(progress, near, encoding)
        if vector is None:
            _count(progress, world, "not_encoded")
            return None
        found = await _Choice(progress, near, vectors, answers).of(vector, told, world)
    if found is None or found.near is None:
        _count(progress, world, "veto" if receipt.cache_veto else "none")
        return None
    receipt.cache_score, receipt.cache_veto = found.near.score, None
    if not near.gives:
        receipt.cache_shadow_from = found.answer.receipt_id
        _count(progress, world, "shadow")
        return None
    receipt.cache_shadow_from = None
    _count(progress, world, "hit")
    return found


def fits(found: Found, near: Near | None, told: Directives) -> bool:
    """Whether what another has found for himself will do for this request too."""
    if found.near is None or near is None or not near.gives:
        return False
    if near.threshold is not None and found.near.score < near.threshold:
        return False
    return found.near.partition == near.partition and told.takes(found.age_s)


class _Choice(Struct, eq=False):
    """Which of a question's neighbours is taken."""

    progress: Progress
    near: Near
    vectors: Vectors
    answers: Answers

    async def of(self, vector: Vector, told: Directives, world: World) -> Found | None:
        """The nearest of which there is an answer and nothing is said against it. What is said
        against the first is noted, with whose answer that is."""
        near, receipt = self.near, self.progress.receipt
        least = SHADOW_LEAST if near.threshold is None else near.threshold
        looked = least if not self._is_captured else min(least, JUDGED_LEAST)
        for it in await self.vectors.nearest(near.partition, vector, MOST_NEIGHBOURS):
            if it.key != answer_key(near.partition, it.question):
                continue  # of somebody else, or of nobody
            if receipt.cache_score is None:
                receipt.cache_score = min(it.score, 1.0)
            if not it.score >= looked:
                break
            failed = world.cache.failed(near.semantic)
            kept = await self.answers.get(it.key)
            if kept is None and self._is_gone(failed, world):
                self.vectors.drop(near.partition, it.key)
            nearness = Nearness(near.partition, it.key, it.score, it.question)
            found = _given(kept, nearness, told, world)
            if found is None:
                continue
            against = veto(near.question, it.question)
            self._note(it, found, against)
            if against is None:
                return found if it.score >= least else None
            if receipt.cache_veto is None and it.score >= least:
                receipt.cache_veto = against
                receipt.cache_shadow_from = found.answer.receipt_id
        return None

    @property
    def _is_captured(self) -> bool:
        route = self.progress.route
        return route is not None and route.route.capture is not None

    def _is_gone(self, failed: int, world: World) -> bool:
        """Whether what was not found is not there: a store that is away or slow has not said so."""
        cache, semantic = world.cache, self.near.semantic
        return cache.is_there(semantic) and cache.failed(semantic) == failed

    def _note(self, it: Neighbour, found: Found, against: str | None) -> None:
        """For judges: the one that would be given if the threshold were low enough; else the first
        that a veto holds back."""
        caching = self.progress.caching
        if caching is None or not it.score >= JUDGED_LEAST:
            return
        if caching.like is None or against is None:
            caching.like = Likeness(it.question, found, min(it.score, 1.0), against)


def _given(found: Found | None, near: Nearness, told: Directives, world: World) -> Found | None:
    """What is fresh, and no older than its caller takes."""
    if found is None or found.age_s >= found.answer.fresh_s or not told.takes(found.age_s):
        return None
    if not world.cache.is_current(found):
        return None
    return Found(found.answer, found.age_s, found.forms, near)


async def _may_be_near(first: First, vectors: Vectors) -> bool:
    """Whether an encoder might find anything near, as far as the prefilter sees."""
    found = await vectors.nearest(first.partition, first.vector, 1)
    return bool(found) and found[0].score >= PREFILTER_LEAST


async def _vector(progress: Progress, near: Near, encoding: Encodings) -> Vector | None:
    """The question's; None where it does not come in time, or at all."""
    began_s, patience_s = clock.monotonic_s(), PATIENCE_S
    if progress.until_s is not None:
        patience_s = min(patience_s, progress.until_s - began_s)
    coming = near.coming = encoding.ask(near.question, patience_s)
    if coming is None:
        return None
    if not coming.done():
        try:
            await asyncio.wait((coming,), timeout=patience_s)
        except asyncio.CancelledError:  # its caller has left
            coming.cancel()
            raise
    progress.receipt.cache_encode_s = clock.monotonic_s() - began_s
    # Cancelled: its encoder has been stopped.
    if not coming.done() or coming.cancelled() or coming.exception() is not None:
        return None
    near.vector = coming.result()
    return near.vector


def _count(progress: Progress, world: World, why: str) -> None:
    route = progress.receipt.route or ""
    world.cache.semantic.lookups[route, why] += 1
