"""What is found of one live answer: the checks of its route over what was captured and what its
receipt says."""

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.assessment import Assessment, assessment_of
from tidegate.core.capture import Captured
from tidegate.core.grading import Answered, Case, Check
from tidegate.core.receipt import Receipt
from tidegate.evals.captured_cases import case_of
from tidegate.evals.grading import Judges, Marker
from tidegate.evals.outcome import Outcome
from tidegate.evals.own_gateway import OwnJudge
from tidegate.evals.receipts import told


class Verdict(Struct, frozen=True):
    """`is_bad` None where nobody knows. `why` names checks and says nothing of the answer. `judges`
    are the digests of who judged, an empty one where nobody knows who; `failure` says in a word why
    a judge did not answer, `asked` whether one was asked at all."""

    is_bad: bool | None
    why: str
    score: float | None = None
    judges: tuple[str, ...] = ()
    failure: str | None = None
    asked: bool = True


class _Informing(Judges):
    """Whoever judges is heard here; for which releases it counts is decided where it is stored."""

    def decides(self, prompt: str) -> bool:
        return True


async def verdict_on(
    made: Captured, receipt: Receipt, checks: tuple[Check, ...], judge: OwnJudge | None
) -> Verdict:
    """NoCase, MoneySpent."""
    case = case_of(made, checks)
    answered = told(Answered(made.answer, tool_calls=made.calls), receipt)
    return await verdict_of(case, answered, judge)


async def verdict_of(case: Case, answered: Answered, judge: OwnJudge | None) -> Verdict:
    """What the case's checks say of it. MoneySpent."""
    outcome = await Marker(_Informing(judge)).outcome(case, 0, answered)
    failures = () if judge is None else judge.failures
    is_bad = None if outcome.verdict == "error" else outcome.verdict == "fail"
    return Verdict(
        is_bad,
        _why(outcome),
        outcome.score,
        tuple(digest for digest, _ in outcome.judges),
        failures[0] if failures and is_bad is None else None,
    )


def assessment(
    receipt: Receipt, verdict: Verdict, at_s: float, cost_nanousd: int | None, *, decides: bool
) -> Assessment:
    """As it is kept. What does not decide counts for no release."""
    made = replace(
        assessment_of(receipt, "quality", verdict.is_bad, at_s),
        score=verdict.score,
        judge=" ".join(filter(None, verdict.judges)),
        why=verdict.why,
        cost_nanousd=cost_nanousd,
    )
    return made if decides else replace(made, rollout=None, unit=None, unit_kind=None)


def _why(outcome: Outcome) -> str:
    """The checks by their names: what they say of an answer may repeat what was said in it."""
    for verdict, words in (("error", "no verdict from"), ("fail", "failed")):
        names = [name for name, grade in outcome.grades if grade.verdict == verdict]
        if names and verdict == outcome.verdict:
            return f"{words} {', '.join(dict.fromkeys(names))}"[:500]
    return ""
