"""Comparisons of both sides' answers to one case, by the judges that a case asks for.

They are kept in the run's file beside the outcomes, each with the digest of both answers: a run
that resumes asks a judge only of answers that it has not compared.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from tidegate.core.grading import Case, Check, Grade, checked
from tidegate.evals.grading import Judges, with_threshold
from tidegate.evals.heard import Heard
from tidegate.evals.outcome import Comparison, Outcome, compared_checks
from tidegate.evals.run_file import RunFile
from tidegate.graders import judge_pairwise

# A case that is only compared still has to have an answer on either side.
_ANSWERED: Final = Check("length", Raw(b'{"least_chars":0}'), metric="answered")


class Comparing:
    """Of a run of two sides. `file` is where outcomes and comparisons are."""

    def __init__(self, cases: Iterable[Case], judges: Judges, file: RunFile) -> None:
        self._judges = judges
        self._file = file
        self._repeats = range(file.head.repeats)
        self._checks = {it.id: found for it in cases if (found := compared_checks(it))}

    def own(self, case: Case) -> Case:
        """The case with what is said of one answer alone."""
        compared = self._checks.get(case.id)
        if compared is None:
            return case
        kept = tuple(it for number, it in enumerate(case.checks) if number not in compared)
        return replace(case, checks=kept or (_ANSWERED,))

    def pending(self, cases: Iterable[Case]) -> list[tuple[Case, int]]:
        """What has both answers and lacks a comparison."""
        return [
            (case, repeat)
            for case in cases
            if case.id in self._checks
            for repeat in self._repeats
            if self._missing(case, repeat)
        ]

    def known(self, case: Case) -> tuple[Comparison, ...]:
        """Those of the answers that count."""
        found = []
        for number in self._checks.get(case.id, ()):
            for repeat in self._repeats:
                it = self._file.comparisons.get((case.id, repeat, number))
                if it is not None and it.of == self._of(case, repeat):
                    # A judge may have been calibrated since it was asked.
                    decides = it.judge in self._judges.calibrated if it.judge else it.decides
                    found.append(replace(it, decides=decides))
        return tuple(found)

    async def compare(self, case: Case, repeat: int) -> None:
        """Asks of what is not compared yet, once both answers are there. MoneySpent."""
        for number in self._missing(case, repeat):
            self._file.add_comparison(await self._compared(case, repeat, number))

    def _missing(self, case: Case, repeat: int) -> list[int]:
        checks = self._checks.get(case.id)
        of = None if checks is None else self._of(case, repeat)
        if checks is None or of is None:
            return []
        found = []
        for number in checks:
            known = self._file.comparisons.get((case.id, repeat, number))
            if known is None or known.of != of or known.grade.verdict == "error":
                found.append(number)
        return found

    def _both(self, case: Case, repeat: int) -> tuple[str, str] | None:
        """The candidate's text and the baseline's; None while one is missing or will be asked
        again."""
        candidate = self._file.outcomes.get(("candidate", case.id, repeat))
        baseline = self._file.outcomes.get(("baseline", case.id, repeat))
        ours, theirs = _text(candidate), _text(baseline)
        return None if ours is None or theirs is None else (ours, theirs)

    def _of(self, case: Case, repeat: int) -> str | None:
        both = self._both(case, repeat)
        if both is None:
            return None
        parts = msgspec.json.encode(both)
        return sha256(parts).hexdigest()

    async def _compared(self, case: Case, repeat: int, number: int) -> Comparison:
        check, both = case.checks[number], self._both(case, repeat)
        of = self._of(case, repeat)
        assert both is not None and of is not None  # noqa: S101 - see `_missing`
        options: Mapping[str, Any] = msgspec.json.decode(check.options)
        if both[0] == both[1]:
            grade = checked(check, Grade("pass", 0.5, "both answers are the same"))
            return Comparison(case.id, repeat, number, of, grade, decides=True)
        heard = None if self._judges.ask is None else Heard(self._judges.ask)
        said = await judge_pairwise.plug.compare(case, both, options, heard)
        prompt = judge_pairwise.plug.prompt(with_threshold(options, check.threshold))
        return Comparison(
            case.id,
            repeat,
            number,
            of,
            checked(check, said),
            self._judges.digest(prompt),
            self._judges.decides(prompt),
            self._judges.models,
            () if heard is None or said.verdict == "error" else tuple(heard.first),
        )


def _text(outcome: Outcome | None) -> str | None:
    if outcome is None or outcome.verdict == "error":
        return None
    return outcome.answered.output
