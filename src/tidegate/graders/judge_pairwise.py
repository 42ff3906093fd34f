"""A model says which of two answers is better, asked twice with the two in either order.

The answers are called A and B. Where both orders do not agree it is a tie: a judge that prefers
what it is shown first says nothing about the answers.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Ask, Case, Grade
from tidegate.graders._judge import (
    FENCE,
    Judging,
    Unjudged,
    ask_judge,
    object_schema,
    question,
    with_options,
)
from tidegate.graders._plain import expected_text, graded

_Share = Annotated[float, Meta(ge=0, le=1)]
BASELINE: Final = "baseline"
EXPECTED: Final = "expected"
_BETTER: Final = "Which answers QUESTION better: is right, does what is asked, and is of more use?"
_SYSTEM: Final = """You compare two answers to one question, ANSWER A and ANSWER B.
Give as `better` the letter of the better one, "A" or "B", or "tie" when neither is. Which of them
is shown first says nothing, and longer is not better. Say why in `reason` first, in at most three
sentences.
"""
_SCHEMA: Final = object_schema(
    {"reason": {"type": "string"}, "better": {"enum": ["A", "B", "tie"]}}
)


class Options(Struct, frozen=True, omit_defaults=True):
    """`against`: the other answer; `baseline` is what the baseline of the run answered to the same
    case, `expected` what the case expects. Without it the first where the run has a baseline, else
    the second. Score 1 is better, 0.5 a tie, 0 worse; `threshold` is the least. `seed` and the
    case's name say which of the two is asked first as A."""

    against: str | None = None
    criterion: str = _BETTER
    threshold: _Share = 0.5
    seed: int = 0


class _Verdict(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    better: Literal["A", "B", "tie"]


class _Pairwise(Judging[Options]):
    """A judge of one answer beside another."""

    async def compare(
        self, case: Case, pair: tuple[str, str], options: Mapping[str, Any], ask: Ask | None
    ) -> Grade:
        """The first answer of `pair` beside the second, whatever the options say it is against."""
        try:
            return await _compared(case, pair, msgspec.convert(options, Options), ask)
        except Unjudged as unjudged:
            return Grade("error", why=str(unjudged))


def is_with_baseline(options: Mapping[str, Any]) -> bool:
    """Whether a run that has a baseline compares with its answer."""
    return options.get("against") in (None, BASELINE)


async def _against_text(case: Case, answered: Answered, options: Options, ask: Ask | None) -> Grade:
    """Where there is no baseline."""
    if options.against == BASELINE:
        raise Unjudged("the run has no baseline to compare with")
    other = expected_text(case) if options.against in (None, EXPECTED) else options.against
    if other is None:
        raise Unjudged("there is no other answer to compare with")
    return await _compared(case, (answered.output or "", other), options, ask)


async def _compared(case: Case, pair: tuple[str, str], options: Options, ask: Ask | None) -> Grade:
    ours_first = sha256(f"{options.seed}\0{case.id}".encode()).digest()[0] % 2 == 0
    first = await _asked(ask, case, pair, options, ours_is_a=ours_first)
    second = await _asked(ask, case, pair, options, ours_is_a=not ours_first)
    if first != second:
        return graded(0.5, options.threshold, "the two orders disagree, a tie:")
    told = {1.0: "it is better:", 0.5: "a tie:", 0.0: "it is worse:"}[first]
    return graded(first, options.threshold, told)


async def _asked(
    ask: Ask | None, case: Case, pair: tuple[str, str], options: Options, *, ours_is_a: bool
) -> float:
    """1 when ours is better, 0 when the other one is, 0.5 for a tie."""
    a, b = pair if ours_is_a else (pair[1], pair[0])
    material = {"QUESTION": question(case), "ANSWER A": a, "ANSWER B": b}
    verdict = await ask_judge(ask, _system(options), material, _Verdict, _SCHEMA)
    if verdict.better == "tie":
        return 0.5
    return float((verdict.better == "A") == ours_is_a)


def _system(options: Options) -> str:
    return f"{_SYSTEM}{FENCE}\nThe criterion:\n{options.criterion}"


def _known_by(options: Options) -> str:
    """Not by `seed`: both orders are asked whichever comes first."""
    return with_options(_system(options), options, "threshold")


plug = _Pairwise(Options, _known_by, _against_text)
