"""What one judge said of a candidate's answers to each case, as its anchors are labelled."""

from collections.abc import Sequence

from tidegate.core.grading import Check
from tidegate.evals.outcome import Outcome, Paired, compared_checks


def of_candidate(pairs: Sequence[Paired], judge: str) -> list[float]:
    """The share of passes of each case that it was the only one to judge, by one check that counts
    as the anchors were counted: not turned over, and by the grader's own threshold."""
    found = []
    for pair in pairs:
        place = _place(pair)
        if place is None:
            continue
        said = [
            it for outcome in pair.candidate if (it := _said(outcome, place, judge)) is not None
        ]
        if said:
            found.append(sum(said) / len(said))
    return found


def of_comparisons(pairs: Sequence[Paired], judge: str) -> list[float]:
    """The score of each case that it compared."""
    found = []
    for pair in pairs:
        scores = [
            float(it.grade.score)
            for it in pair.comparisons
            if it.judge == judge
            and not pair.case.checks[it.check].negated
            and isinstance(it.grade.score, float | int)
        ]
        if scores:
            found.append(sum(scores) / len(scores))
    return found


def _place(pair: Paired) -> int | None:
    """Where among the grades of an answer the only judge's is."""
    compared = compared_checks(pair.case) if pair.comparisons else ()
    own = [it for number, it in enumerate(pair.case.checks) if number not in compared]
    places = [number for number, it in enumerate(own) if _may_judge(it)]
    if len(places) != 1 or own[places[0]].grader != "judge_rubric":
        return None
    [place] = places
    return None if own[place].negated or own[place].threshold is not None else place


def _may_judge(check: Check) -> bool:
    return check.grader == "group" or check.grader.startswith("judge_")


def _said(outcome: Outcome, place: int, judge: str) -> float | None:
    if [digest for digest, _ in outcome.judges] != [judge] or place >= len(outcome.grades):
        return None
    verdict = outcome.grades[place][1].verdict
    return None if verdict == "error" else float(verdict == "pass")
