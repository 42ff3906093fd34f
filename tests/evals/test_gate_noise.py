"""How far versions differ from themselves, and what that leaves to be seen."""

import pytest
from msgspec.structs import replace
from tests.evals.runs import pair, same

from tidegate.evals.finding import Finding
from tidegate.evals.gate import judge, with_budget_change
from tidegate.evals.gate_noise import noise
from tidegate.evals.outcome import Paired

STEADY, SHAKY = [True, True, True], [True, False, True]


def of(pairs: list[Paired], check: str) -> Finding:
    return next(it for it in judge(pairs).findings if it.check == check)


def test_flips_are_told_of_each_side() -> None:
    pairs = [pair(str(n), STEADY, SHAKY if n < 20 else STEADY) for n in range(100)]
    found = of(pairs, "determinism")
    assert found.verdict == "warn"
    assert (found.figures["baseline"], found.figures["candidate"]) == (
        0.0, pytest.approx(20 / 100 * 2 / 3),
    )  # fmt: skip
    both = [pair(str(n), SHAKY, SHAKY) for n in range(100)]
    assert of(both, "determinism").verdict == "pass"


def test_nothing_is_said_of_what_was_asked_once() -> None:
    assert "determinism" not in {it.check for it in judge(same(100)).findings}
    assert noise(same(100)) == 0.0


def test_noise_is_the_floor_of_what_a_sample_shows() -> None:
    """Every case flips, and by luck all means are the same: that shows little."""
    lucky = [pair(str(n), SHAKY, SHAKY) for n in range(100)]
    assert noise(lucky) == pytest.approx(2 * (1 / 3) / 3)
    steady, shaky = (
        of([pair(str(n), STEADY, STEADY) for n in range(100)], "quality"),
        of(lucky, "quality"),
    )
    assert (steady.verdict, shaky.verdict) == ("pass", "inconclusive")
    assert shaky.smallest is not None and steady.smallest is not None
    assert shaky.smallest > 2 * steady.smallest
    assert shaky.needs is not None and shaky.needs > 1000


def test_scores_that_hardly_move_are_hardly_noise() -> None:
    one = pair("a", [True, False], [True, False])
    near = tuple(replace(it, score=0.5 + it.repeat / 100) for it in one.candidate)
    assert noise([replace(one, baseline=near, candidate=near)]) == pytest.approx(5e-5)


def test_a_change_of_the_budget_pays_for_longer_prompts_and_for_nothing_else() -> None:
    long = {"input_tokens": 300}
    gated = judge([pair(str(n), [True], [True], after=long) for n in range(100)])
    assert gated.verdict == "block"
    paid = with_budget_change(gated, "CHG-7")
    assert paid.verdict == "warn"
    assert "paid for by CHG-7" in next(it for it in paid.findings if it.verdict == "warn").why
    slow = judge([pair(str(n), [True], [True], after={"total_s": 9.0}) for n in range(100)])
    assert with_budget_change(slow, "CHG-7").verdict == "block"
