"""A first version, with nothing beside it."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.evals.runs import side

from tidegate.core.grading import Case, Verdict
from tidegate.evals.finding import GateVerdict
from tidegate.evals.gate_alone import judge_alone
from tidegate.evals.outcome import Paired
from tidegate.evals.report import Compared, as_junit, as_markdown


def alone(name: str, verdicts: Sequence[Verdict | bool], **fields: Any) -> Paired:
    return Paired(Case(name, **fields), (), side(name, verdicts))


def said(pairs: Sequence[Paired], rate: float = 0.8) -> tuple[GateVerdict, dict[str, GateVerdict]]:
    gated = judge_alone(pairs, rate)
    return gated.verdict, {it.check: it.verdict for it in gated.findings}


def test_enough_that_pass_pass_and_that_there_is_no_baseline_is_said() -> None:
    pairs = [alone(f"a{n}", [n != 0]) for n in range(50)]
    verdict, checks = said(pairs)
    assert verdict == "warn"
    assert checks == {"baseline": "warn", "complete": "pass", "pass_rate": "pass"}
    assert said(pairs, 0.99)[0] == "block"


@pytest.mark.parametrize(
    ("hits", "cases", "least", "needs"),
    [(1, 1, 0.8, 14), (13, 13, 0.8, 14), (1, 1, 0.95, 59), (9, 10, 0.8, 57), (8, 10, 0.8, None)],
)
def test_too_few_that_pass_prove_no_share(
    hits: int, cases: int, least: float, needs: int | None
) -> None:
    """0.8^14 is the first power of 0.8, and 0.95^59 of 0.95, that is at most 0.05."""
    pairs = [alone(f"a{n}", [n < hits]) for n in range(cases)]
    [found] = [it for it in judge_alone(pairs, least).findings if it.check == "pass_rate"]
    assert (found.verdict, found.needs) == ("inconclusive", needs)
    assert ("no number of cases" in found.why) == (needs is None)
    if needs is not None:
        enough = [alone(f"a{n}", [n < needs * hits // cases]) for n in range(needs)]
        assert said(enough, least)[1]["pass_rate"] == "pass"


def test_that_all_pass_for_ever_is_shown_by_no_number_of_cases() -> None:
    pairs = [alone(f"a{n}", [True]) for n in range(100)]
    assert said(pairs, 1.0)[1]["pass_rate"] == "inconclusive"
    assert said(pairs, 0.0)[1]["pass_rate"] == "pass"


def test_one_failure_of_what_must_pass_or_of_safety_blocks() -> None:
    good = [alone(f"a{n}", [True, True]) for n in range(20)]
    must = alone("must", [True, False], must_pass=True)
    safe = alone("safe", [False, True], strata={"safety": "injection"})
    assert said([*good, must])[1]["must_pass"] == "block"
    assert said([*good, safe])[1]["safety"] == "block"
    assert said([*good, must, safe])[0] == "block"


def test_what_nobody_knows_is_no_pass() -> None:
    good = [alone(f"a{n}", [True]) for n in range(20)]
    assert said([*good, alone("b", ["error"])])[0] == "inconclusive"
    assert said([*good, alone("b", [])])[0] == "inconclusive"
    assert said([])[0] == "inconclusive"


def test_repeats_that_differ_are_told() -> None:
    assert judge_alone([alone("a", [True, False])]).flips == 1.0


def test_its_reports_count_the_candidates_cases_alone() -> None:
    pairs = [alone("good", [True]), alone("bad", [False]), alone("lost", ["error"])]
    gated = judge_alone(pairs)
    compared = Compared("s", "nothing", "v1")
    junit = as_junit(compared, gated, pairs).decode()
    assert 'name="s: v1" tests="3" failures="1" errors="1"' in junit
    assert "Failed (1):\n\n- `bad`" in as_markdown(compared, gated, pairs)
