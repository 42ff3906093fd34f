"""What came of a run: each case, on either side, as often as it was asked."""

from collections.abc import Sequence

from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade, Verdict


class Outcome(Struct, frozen=True, omit_defaults=True):
    """One answer and what was said of it. `score` is from 0 to 1, None where nobody knows. `judges`
    are the digests of who judged it (empty: nobody knows who), and whether their word counted."""

    case: str
    repeat: int
    verdict: Verdict
    answered: Answered
    grades: tuple[tuple[str, Grade], ...] = ()
    score: float | None = None
    judges: tuple[tuple[str, bool], ...] = ()


class Paired(Struct, frozen=True):
    """One case on both sides. Either may have no outcome yet: a run that was broken off."""

    case: Case
    baseline: tuple[Outcome, ...]
    candidate: tuple[Outcome, ...]

    @property
    def is_known(self) -> bool:
        """Whether both sides have answers and every one of them a verdict."""
        return is_sure(self.baseline) and is_sure(self.candidate)


def is_sure(side: Sequence[Outcome]) -> bool:
    """Whether there are answers and every one of them has a verdict."""
    return bool(side) and all(it.verdict != "error" for it in side)


def passed(side: Sequence[Outcome]) -> bool:
    """Whether a case counts as passed: in more than half of its repeats."""
    return sum(it.verdict == "pass" for it in side) * 2 > len(side)


def score(side: Sequence[Outcome]) -> float:
    """The mean of its repeats; what has no score of its own is 1 or 0 by its verdict."""
    return sum(
        it.score if it.score is not None else float(it.verdict == "pass") for it in side
    ) / len(side)


def refused(side: Sequence[Outcome]) -> bool:
    """In more than half of its repeats."""
    said = sum(it.answered.refusal not in (None, "none") for it in side)
    return said * 2 > len(side)
