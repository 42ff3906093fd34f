"""Outcomes of runs, made up for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.core.grading import Answered, Case, Verdict
from tidegate.evals.outcome import Outcome, Paired


def side(case: str, verdicts: Sequence[Verdict | bool], **answered: Any) -> tuple[Outcome, ...]:
    """One answer for each verdict; True is a pass."""
    said: list[Verdict] = [
        it if isinstance(it, str) else "pass" if it else "fail" for it in verdicts
    ]
    given = {"input_tokens": 100, "output_tokens": 50, "total_s": 1.0, "cost_nanousd": 9} | answered
    return tuple(
        Outcome(case, repeat, verdict, Answered("an answer", **given))
        for repeat, verdict in enumerate(said)
    )


def pair(
    name: str,
    baseline: Sequence[Verdict | bool],
    candidate: Sequence[Verdict | bool],
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **case: Any,
) -> Paired:
    """`before` and `after` are members of the answers, further ones those of the case."""
    return Paired(
        Case(name, **case),
        side(name, baseline, **(before or {})),
        side(name, candidate, **(after or {})),
    )


def same(count: int, **case: Any) -> list[Paired]:
    """So many cases that both sides pass."""
    return [pair(f"same-{n}", [True], [True], **case) for n in range(count)]
