"""Win rates of a candidate that a judge compares with its baseline."""

from collections.abc import Sequence
from random import Random

import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.evals.runs import pair

from tidegate.core.grading import Answered, Check, Grade
from tidegate.evals.finding import Finding
from tidegate.evals.gate import judge
from tidegate.evals.gate_judges import judges_of
from tidegate.evals.gate_wins import findings, self_preference
from tidegate.evals.outcome import Comparison, Paired

BETTER = (Check("judge_pairwise"),)


def beside(
    name: str,
    *scores: float | None,
    decides: bool = True,
    shown: Sequence[bool] = (),
    **case: object,
) -> Paired:
    """A case of so many repeats that a judge has compared; None is no verdict."""
    made = []
    for repeat, score in enumerate(scores):
        grade = (
            Grade("error") if score is None else Grade("pass" if score >= 0.5 else "fail", score)
        )
        made.append(
            Comparison(name, repeat, 0, "o", grade, "j", decides, ("gpt-4o",), tuple(shown))
        )
    sides = [True] * len(scores)
    checks = {"checks": BETTER} | case
    return replace(pair(name, sides, sides, **checks), comparisons=tuple(made))  # type: ignore[arg-type]


def rated(lost: int, won: int, tied: int = 0) -> list[Paired]:
    scores = [0.0] * lost + [1.0] * won + [0.5] * tied
    return [beside(f"c{n}", it) for n, it in enumerate(scores)]


def found(pairs: Sequence[Paired], margin: float = 0.03) -> Finding:
    return next(it for it in findings(pairs, margin, 0.05) if it.check == "win_rate")


@pytest.mark.parametrize(
    ("lost", "won", "tied", "verdict"),
    [(50, 50, 0, "inconclusive"), (70, 30, 0, "block"), (30, 70, 0, "pass"),
     (0, 0, 200, "pass"), (3, 2, 400, "pass"), (9, 0, 400, "pass"), (0, 0, 5, "inconclusive")],
)  # fmt: skip
def test_it_passes_by_its_interval_and_blocks_by_the_sign_test(
    lost: int, won: int, tied: int, verdict: str
) -> None:
    it = found(rated(lost, won, tied))
    assert it.verdict == verdict, it.why
    count = lost + won + tied
    assert it.figures["share"] == pytest.approx((won + tied / 2) / count)
    assert it.figures["low"] < it.figures["share"] < it.figures["high"]
    assert it.smallest is not None
    if it.verdict == "inconclusive":
        assert it.needs is not None and it.needs > count


def test_as_many_cases_as_it_needs_tell_four_times_of_five() -> None:
    needs = found(rated(20, 20, 60)).needs
    assert needs is not None
    assert 600 < needs < 800  # 0.4 differ: 6.18 x 0.4 / 0.06^2
    tenth = needs // 5
    assert found(rated(tenth, tenth, needs - 2 * tenth)).verdict == "pass"


def test_repeats_are_one_case() -> None:
    it = found([beside("a", 1.0, 0.0, 1.0), beside("b", 0.0, 0.0, 1.0)])
    assert (it.figures["won"], it.figures["lost"], it.figures["cases"]) == (1, 1, 2)


def test_a_missing_verdict_is_no_pass() -> None:
    sure = rated(0, 0, 200)
    for odd in (beside("odd", None), replace(beside("odd", 1.0), comparisons=())):
        it = found([*sure, odd])
        assert it.verdict == "inconclusive"
        assert "odd" in it.why
    assert found([*sure, beside("odd", 0.5, decides=False)]).verdict == "inconclusive"


def test_a_case_that_must_pass_may_not_be_lost() -> None:
    pairs = [*rated(0, 0, 200), beside("vital", 0.0, must_pass=True)]
    assert judge(pairs).verdict == "block"
    assert judges_of(pairs) == {"j": True}


def test_weights_and_checks_of_weight_none() -> None:
    checks = (Check("judge_pairwise", weight=0.0), Check("judge_pairwise", Raw(b"{}"), weight=2.0))
    one = beside("a", 0.0, checks=checks)
    both = (*one.comparisons, replace(one.comparisons[0], check=1, grade=Grade("pass", 1.0)))
    assert found([replace(one, comparisons=both)]).figures["share"] == 1.0


def test_nothing_is_said_where_nothing_is_compared() -> None:
    assert not list(findings([pair("a", [True], [True])], 0.03, 0.05))
    against = Check("judge_pairwise", Raw(b'{"against": "a text"}'))
    assert not list(findings([pair("a", [True], [True], checks=(against,))], 0.03, 0.05))


@pytest.mark.parametrize(("first", "verdict"), [(30, "pass"), (50, "warn"), (10, "warn")])
def test_a_judge_that_prefers_a_place_is_told(first: int, verdict: str) -> None:
    pairs = [beside(f"c{n}", 0.5, shown=[n < first]) for n in range(60)]
    [it] = [it for it in findings(pairs, 0.03, 0.05) if it.check == "position_bias"]
    assert it.verdict == verdict
    assert it.figures["share"] == first / 60


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ("o3-mini", "claude-4", "another"),
        ("gpt-5", "gpt-4o", "may prefer"),
        ("qwen3", "gpt-4o", ""),
    ],
)
def test_a_judge_of_the_candidates_own_family_is_told(ours: str, theirs: str, said: str) -> None:
    one = beside("a", 1.0)
    both = {"candidate": ours, "baseline": theirs}
    one = replace(
        one,
        **{
            side: tuple(
                replace(it, answered=Answered("x", model=name)) for it in getattr(one, side)
            )
            for side, name in both.items()
        },
    )
    whys = [it.why for it in self_preference([one])]
    assert bool(whys) == bool(said)
    assert all(said in it for it in whys)


def test_an_equal_candidate_is_seldom_blocked_and_a_worse_one_always() -> None:
    draw = Random(7)
    blocked = 0
    for _ in range(400):
        lost = sum(draw.random() < 0.5 for _ in range(120))
        blocked += found(rated(lost, 120 - lost)).verdict == "block"
    assert blocked <= 20
    assert found(rated(80, 40)).verdict == "block"
