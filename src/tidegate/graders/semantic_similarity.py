"""The answer means what a text means, by the vectors that a model makes of both.

It asks for embeddings through `ask.embed`; without them, and for vectors that cannot be compared,
nobody knows.
"""

from collections.abc import Awaitable, Callable, Sequence
from math import dist, isfinite, nan, sqrt
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Ask, Case, Embedded, Grade
from tidegate.graders._judge import Asking, Unjudged
from tidegate.graders._plain import expected_texts

Measure = Literal["cosine", "dot", "euclidean"]
# promptfoo's, of every measure.
_THRESHOLD: Final = 0.75
# As much as adding up a few thousand products may lose.
_ROUNDING: Final = 1e-9
_Vector = Sequence[float]
_Embed = Callable[[tuple[str, ...]], Awaitable[Embedded]]


class Options(Struct, frozen=True, omit_defaults=True):
    """`to`: the text, or several of which the nearest counts; the case's `expected` without it.
    `threshold`: the least cosine or dot product, or with `euclidean` the greatest distance."""

    measure: Measure = "cosine"
    to: str | tuple[str, ...] | None = None
    threshold: Annotated[float, Meta(ge=-1)] = _THRESHOLD


class _Embedding(Asking[Options]):
    """One that asks for vectors and no judge."""

    embeds = True


async def _asked(case: Case, answered: Answered, options: Options, ask: Ask | None) -> Grade:
    texts = _texts(case, options)
    embed: _Embed | None = getattr(ask, "embed", None)
    if not texts:
        raise Unjudged("neither the check nor the case says what it is to be like")
    if not (answered.output or "").strip():
        return Grade("fail", 0.0, "the answer is empty")
    if embed is None:
        raise Unjudged("it needs embeddings, and the run has none")
    vectors, why = await embed((answered.output or "", *texts))
    if vectors is None:
        raise Unjudged(f"there are no embeddings: {why or 'nobody knows why'}")
    return _graded(vectors, len(texts) + 1, options)


def _texts(case: Case, options: Options) -> tuple[str, ...]:
    if options.to is None:
        return expected_texts(case)
    return (options.to,) if isinstance(options.to, str) else options.to


def _graded(vectors: Sequence[_Vector], count: int, options: Options) -> Grade:
    lengths = {len(it) for it in vectors}
    if len(vectors) != count or len(lengths) != 1 or 0 in lengths:
        raise Unjudged("the embeddings are not one vector of one length for each text")
    ours, *others = vectors
    found = [_compared(ours, it, options.measure) for it in others]
    if not all(map(isfinite, found)):
        raise Unjudged("the embeddings cannot be compared")
    if options.measure == "euclidean":
        nearest = min(found)
        ok, score = nearest <= options.threshold + _ROUNDING, 1 / (1 + nearest)
        asked = f"at most {options.threshold:g} is allowed"
    else:
        nearest = max(found)
        ok, score = nearest >= options.threshold - _ROUNDING, min(1.0, max(0.0, nearest))
        asked = f"{options.threshold:g} is asked"
    why = f"{options.measure} {nearest:.3g}, and {asked}"
    return Grade("pass" if ok else "fail", score, why)


def _compared(one: _Vector, other: _Vector, measure: Measure) -> float:
    """Not a number where they have no angle."""
    if measure == "euclidean":
        return dist(one, other)
    product = _product(one, other)
    if measure == "dot":
        return product
    length = sqrt(_product(one, one)) * sqrt(_product(other, other))
    return product / length if length else nan


def _product(one: _Vector, other: _Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _also_wrong(options: Options) -> str | None:
    if options.measure == "euclidean" and options.threshold < 0:
        return "a distance is not below 0"
    return "`to` is an empty list" if options.to == () else None


plug = _Embedding(Options, _asked, _also_wrong)
