"""What came of a run: each case, on either side, as often as it was asked."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade, Verdict
from tidegate.graders.judge_pairwise import is_with_baseline


class Outcome(Struct, frozen=True, omit_defaults=True):
    """One answer and what was said of it. `score` is from 0 to 1, None where nobody knows. `judges`
    are the digests of who judged it (empty: nobody knows who), and whether their word counted;
    `judge_models` what they are, as answers name it."""

    case: str
    repeat: int
    verdict: Verdict
    answered: Answered
    grades: tuple[tuple[str, Grade], ...] = ()
    score: float | None = None
    judges: tuple[tuple[str, bool], ...] = ()
    judge_models: tuple[str, ...] = ()


class Comparison(Struct, frozen=True, omit_defaults=True):
    """What a judge says of the candidate's answer beside the baseline's to one repeat of a case:
    score 1 is better, 0.5 a tie, 0 worse. `check` is the number of the check in its case, `of` the
    digest of both answers, `judge` that of the judge (empty: nobody knows who, or nobody was
    asked), `first_shown` of each verdict whether what was shown first is held better."""

    case: str
    repeat: int
    check: int
    of: str
    grade: Grade
    judge: str = ""
    decides: bool = False
    judge_models: tuple[str, ...] = ()
    first_shown: tuple[bool, ...] = ()


class Paired(Struct, frozen=True):
    """One case on both sides, each asked `repeats` times. Either may lack outcomes yet: a run that
    was broken off."""

    case: Case
    baseline: tuple[Outcome, ...]
    candidate: tuple[Outcome, ...]
    comparisons: tuple[Comparison, ...] = ()
    repeats: int = 1

    @property
    def is_known(self) -> bool:
        """Whether both sides have all their answers and every one of them a verdict."""
        return self.is_known_alone and is_sure(self.baseline, self.repeats)

    @property
    def is_known_alone(self) -> bool:
        """The same of the candidate by itself."""
        return is_sure(self.candidate, self.repeats)

    @property
    def is_graded(self) -> bool:
        """Whether an answer of it is looked at by itself, and not only compared."""
        compared = compared_checks(self.case)
        return not compared or len(compared) < len(self.case.checks)


def compared_checks(case: Case) -> tuple[int, ...]:
    """The numbers of those checks that compare with the baseline's answer."""
    found = []
    for number, it in enumerate(case.checks):
        if it.grader == "judge_pairwise" and is_with_baseline(msgspec.json.decode(it.options)):
            found.append(number)
    return tuple(found)


def is_sure(side: Sequence[Outcome], repeats: int) -> bool:
    """Whether there are so many answers and every one of them has a verdict."""
    return len(side) >= repeats and all(it.verdict != "error" for it in side)


def passed(side: Sequence[Outcome]) -> bool:
    """Whether a case counts as passed: in more than half of its repeats."""
    return sum([it.verdict == "pass" for it in side]) * 2 > len(side)


def score(side: Sequence[Outcome]) -> float:
    """The mean of its repeats."""
    return sum(scores(side)) / len(side)


def scores(side: Sequence[Outcome]) -> list[float]:
    """Of each repeat; what has no score of its own is 1 or 0 by its verdict."""
    return [it.score if it.score is not None else float(it.verdict == "pass") for it in side]


def refused(side: Sequence[Outcome]) -> bool:
    """In more than half of its repeats."""
    said = sum(it.answered.refusal not in (None, "none") for it in side)
    return said * 2 > len(side)
