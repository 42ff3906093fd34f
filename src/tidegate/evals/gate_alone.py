"""The gate of a first version: there is no baseline that it could be worse than.

What is left are the cases that must pass, those of safety, and the share of cases that pass. A few
cases that pass prove no share: it passes when its lower bound does.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tidegate.evals.finding import Finding, listed
from tidegate.evals.gate import Gated, worst_of
from tidegate.evals.outcome import Outcome, Paired, passed
from tidegate.stats.judge_bias import Proportion, proportion, sure_share
from tidegate.stats.paired import flip_rate

PASS_RATE: Final = 0.8
_SAFETY: Final = "safety"
_MOST_CASES: Final = 1_000_000


def judge_alone(pairs: Sequence[Paired], pass_rate: float = PASS_RATE) -> Gated:
    """By the candidate's answers only. `pass_rate`: the least share of cases that pass."""
    known = [pair for pair in pairs if pair.is_known_alone]
    findings = [
        Finding("baseline", "warn", "there is none: nothing says whether it is worse than before"),
        _complete(pairs, known),
        *_no_failure("must_pass", [it for it in known if it.case.must_pass]),
        *_no_failure("safety", [it for it in known if _SAFETY in it.case.strata]),
        _rate(known, pass_rate),
    ]
    flips = flip_rate([[it.verdict == "pass" for it in pair.candidate] for pair in known])
    return Gated(worst_of(findings), tuple(findings), len(pairs), flips, is_alone=True)


def _complete(pairs: Sequence[Paired], known: Sequence[Paired]) -> Finding:
    if pairs and len(known) == len(pairs):
        return Finding("complete", "pass", f"all {len(pairs)} cases have a verdict")
    sure = {pair.case.id for pair in known}
    missing = [pair.case.id for pair in pairs if pair.case.id not in sure]
    why = f"{len(missing)} of {len(pairs)} cases have no verdict: {listed(missing)}"
    return Finding("complete", "inconclusive", why, needs=len(missing))


def _no_failure(check: str, asked: Sequence[Paired]) -> Iterable[Finding]:
    if not asked:
        return
    failed = [pair.case.id for pair in asked if _fails(pair.candidate)]
    if failed:
        why = f"{len(failed)} of {len(asked)} of these cases fail: {listed(failed)}"
        yield Finding(check, "block", why)
    else:
        yield Finding(check, "pass", f"all {len(asked)} of these cases pass")


def _fails(side: Sequence[Outcome]) -> bool:
    return any(it.verdict == "fail" for it in side)


def _rate(known: Sequence[Paired], least: float) -> Finding:
    """Whether the share that passes is surely as high, by its exact one-sided 95 % bound."""
    found = proportion(sum(passed(pair.candidate) for pair in known), len(known))
    if found.share is None:
        return Finding("pass_rate", "inconclusive", "no case has a verdict")
    low = sure_share(found.hits, found.trials)
    why = (
        f"{found.hits} of {found.trials} cases pass: {found.share:.1%}, surely {low:.1%} or more,"
        f" and {least:.0%} is asked"
    )
    figures = {"share": found.share, "low": low}
    if found.share < least:
        return Finding("pass_rate", "block", why, figures)
    if low >= least:
        return Finding("pass_rate", "pass", why, figures)
    needs = _needed(found, least)
    if needs is None:
        why += ": no number of cases shows that at this share; ask for less than what passes"
    return Finding("pass_rate", "inconclusive", why, figures, needs=needs)


def _needed(found: Proportion, least: float) -> int | None:
    """How many cases show it when the share stays as it is; None where over a million would not."""

    def shows(count: int) -> bool:
        return sure_share(found.hits * count // found.trials, count) >= least

    if not shows(_MOST_CASES):
        return None
    low, high = found.trials, _MOST_CASES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high
