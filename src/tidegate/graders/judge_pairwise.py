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
from tidegate.graders._judge import FENCE, Unjudged, ask_judge, error, object_schema, question
from tidegate.graders._plain import expected_text, graded, unanswered, wrong

_Share = Annotated[float, Meta(ge=0, le=1)]
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
    """`against`: the other answer, such as the baseline's; the case's `expected` without it. Score
    1 is better, 0.5 a tie, 0 worse; `threshold` is the least. `seed` and the case's name say which
    of the two is asked first as A."""

    against: str | None = None
    criterion: str = _BETTER
    threshold: _Share = 0.5
    seed: int = 0


class _Verdict(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    better: Literal["A", "B", "tie"]


class _Pairwise:
    asks = True

    @property
    def options(self) -> type[Options]:
        return Options

    def wrong(self, options: Mapping[str, Any]) -> str | None:
        return wrong(Options, options, None)

    def prompt(self, options: Mapping[str, Any]) -> str:
        return _system(msgspec.convert(options, Options))

    async def grade(
        self, case: Case, answered: Answered, options: Mapping[str, Any], ask: Ask | None
    ) -> Grade:
        missing = unanswered(answered)
        said = self.wrong(options)
        if missing is not None or said is not None:
            return missing or Grade("error", why=said or "")
        read = msgspec.convert(options, Options)
        other = read.against if read.against is not None else expected_text(case)
        if other is None:
            return Grade("error", why="there is no other answer to compare with")
        ours_first = sha256(f"{read.seed}\0{case.id}".encode()).digest()[0] % 2 == 0
        pair = (answered.output or "", other)
        try:
            first = await _asked(ask, case, pair, read, ours_is_a=ours_first)
            second = await _asked(ask, case, pair, read, ours_is_a=not ours_first)
        except Unjudged as unjudged:
            return error(unjudged)
        if first != second:
            return graded(0.5, read.threshold, "the two orders disagree, a tie:")
        told = {1.0: "it is better:", 0.5: "a tie:", 0.0: "it is worse:"}[first]
        return graded(first, read.threshold, told)


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


plug = _Pairwise()
