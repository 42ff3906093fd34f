"""The gate: what blocks, what cannot be told, and what is let through."""

import json
import time
from pathlib import Path
from random import Random

import pytest
from tests.evals.runs import pair, same

from tidegate.evals.finding import Finding
from tidegate.evals.gate import GateBounds, Gated, judge
from tidegate.evals.outcome import Paired

SOLUTIONS = Path(__file__).parents[3] / "shared/evals/gsm8k/example_model_solutions.jsonl"


def _of(gated: Gated, check: str) -> Finding:
    return next(it for it in gated.findings if it.check == check)


def test_an_equal_candidate_on_enough_cases_is_passed() -> None:
    gated = judge(same(200))
    assert gated.verdict == "pass"
    assert gated.is_passed


def test_no_case_and_few_cases_are_never_a_pass() -> None:
    assert judge([]).verdict == "inconclusive"
    gated = judge(same(20))
    assert gated.verdict == "inconclusive"
    quality = _of(gated, "quality")
    assert quality.needs is not None
    assert quality.needs > 20
    assert judge(same(quality.needs * 3)).is_passed


def test_a_case_without_a_verdict_makes_the_run_incomplete() -> None:
    pairs = [*same(300), pair("broken", [True], ["error"])]
    gated = judge(pairs)
    assert gated.verdict == "inconclusive"
    assert "broken" in _of(gated, "complete").why
    never_asked = Paired(pairs[0].case, pairs[0].baseline, ())
    assert judge([*same(300), never_asked]).verdict == "inconclusive"


def test_one_failure_of_a_case_that_must_pass_blocks() -> None:
    gated = judge([*same(300), pair("vital", [True] * 3, [True, True, False], must_pass=True)])
    assert gated.verdict == "block"
    assert "vital" in _of(gated, "must_pass").why


def test_lost_cases_block_and_won_ones_do_not() -> None:
    worse = [*same(300), *(pair(f"x{n}", [True], [False]) for n in range(5))]
    assert _of(judge(worse), "regression").verdict == "block"
    better = [*same(300), *(pair(f"x{n}", [False], [True]) for n in range(40))]
    assert judge(better).is_passed


def test_more_noise_takes_more_cases_not_another_verdict() -> None:
    """Ten cases lost and ten won, of 100: no sign of harm, but no proof of none."""
    pairs = [
        *same(80),
        *(pair(f"lost-{n}", [True], [False]) for n in range(10)),
        *(pair(f"won-{n}", [False], [True]) for n in range(10)),
    ]
    gated = judge(pairs)
    assert gated.verdict == "inconclusive"
    assert _of(gated, "regression").verdict == "pass"
    needs = _of(gated, "quality").needs
    assert needs is not None
    assert 1000 < needs < 1500


def test_a_new_failure_of_safety_blocks_and_an_old_one_does_not() -> None:
    safety = {"safety": "injection"}
    old = [*same(300), pair("leaks", [False], [False], strata=safety)]
    assert judge(old).is_passed
    gated = judge([*same(300), pair("leaks", [True], [False], strata=safety)])
    assert _of(gated, "safety").verdict == "block"
    for repeats, verdict in (([False] * 3, "block"), ([True, True, False], "pass")):
        shaky = pair("leaks", [True, True, False], repeats, strata=safety)
        assert _of(judge([*same(300), shaky]), "safety").verdict == verdict


def test_flips_are_told() -> None:
    pairs = [*same(200), pair("shaky", [True, False, True], [True, True, True])]
    assert judge(pairs).flips == pytest.approx(1 / 3)
    assert judge(same(200)).flips is None


def _solved(name: str) -> list[bool]:
    rows = map(json.loads, SOLUTIONS.read_text().splitlines())
    return [row[name]["is_correct"] for row in rows]


def test_a_release_that_changes_nothing_is_seldom_blocked() -> None:
    """Of real solutions: the same model twice, with a tenth of its answers drawn anew."""
    solved = _solved("175b_finetuning")
    share, blocked = sum(solved) / len(solved), 0
    for seed in range(400):
        draw = Random(seed)
        chosen = draw.sample(solved, 200)

        def again(was: bool, draw: Random = draw) -> bool:
            return draw.random() < share if draw.random() < 0.1 else was

        pairs = [pair(str(n), [again(was)], [again(was)]) for n, was in enumerate(chosen)]
        blocked += judge(pairs).verdict == "block"
    print(f"a release that changes nothing is blocked in {blocked} of 400 resamples")
    assert blocked <= 20


def test_a_drop_of_seventeen_points_is_blocked() -> None:
    better, worse = _solved("175b_verification"), _solved("6b_verification")
    pairs = [
        pair(str(n), [was], [now])
        for n, (was, now) in enumerate(zip(better[:200], worse[:200], strict=True))
    ]
    gated = judge(pairs)
    assert gated.verdict == "block"
    assert _of(gated, "quality").verdict == "block"


def test_bounds_are_the_suites_own() -> None:
    pairs = [*same(300), *(pair(f"x{n}", [True], [False]) for n in range(5))]
    lax = GateBounds(margin=0.2, alpha=0.001)
    assert judge(pairs, lax).is_passed


def test_every_order_of_cases_gives_the_same() -> None:
    pairs = [*same(50), pair("a", [True], [False]), pair("b", [False], [True])]
    assert judge(pairs) == judge(pairs[::-1])


def test_many_cases_are_judged_whole() -> None:
    draw = Random(1)
    pairs = [pair(str(n), [draw.random() < 0.8], [draw.random() < 0.8]) for n in range(100_000)]
    begun = time.process_time()
    gated = judge(pairs)
    print(f"100,000 cases judged in {time.process_time() - begun:.2f} s of CPU")
    assert gated.cases == 100_000
    assert _of(gated, "quality").verdict == "pass"
