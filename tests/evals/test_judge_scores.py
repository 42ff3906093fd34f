"""Which verdicts are of a judge as its anchors are."""

from msgspec import Raw
from msgspec.structs import replace
from tests.evals.runs import pair

from tidegate.core.grading import Check, Grade
from tidegate.evals.anchors import Anchor
from tidegate.evals.calibration import Said, calibrate
from tidegate.evals.gate_judges import judged_by
from tidegate.evals.judge_scores import of_candidate, of_comparisons
from tidegate.evals.outcome import Comparison, Paired

RUBRIC = Check("judge_rubric", Raw(b'{"rubric": "kind"}'))
CONTAINS = Check("contains")


def judged(name: str, *passes: bool, check: Check = RUBRIC, judge: str = "j") -> Paired:
    one = pair(name, [True], [True] * len(passes), checks=(CONTAINS, check))
    outcomes = tuple(
        replace(
            it,
            grades=(("contains", Grade("pass", 1.0)), ("judge_rubric", Grade(_word(said)))),
            judges=((judge, True),),
        )
        for it, said in zip(one.candidate, passes, strict=True)
    )
    return replace(one, candidate=outcomes)


def _word(passes: bool) -> str:
    return "pass" if passes else "fail"


def test_repeats_are_one_case_and_other_judges_and_counts_are_left_out() -> None:
    pairs = [
        judged("a", True, False),
        judged("b", True),
        judged("other", True, judge="k"),
        judged("negated", True, check=replace(RUBRIC, negated=True)),
        judged("bounded", True, check=replace(RUBRIC, threshold=0.9)),
        judged("group", True, check=Check("group", Raw(b'{"checks": []}'))),
        pair("never", [True], [True], checks=(RUBRIC, RUBRIC)),
    ]
    assert of_candidate(pairs, "j") == [0.5, 1.0]


def test_the_gate_tells_what_people_would_say_in_its_place() -> None:
    """A judge that passes six of ten anchors, of which people pass five."""
    said = [Said(Anchor(f"a{n}", "x", (n % 10 < 5,)), (n % 10 < 6, n % 10 < 6)) for n in range(200)]
    found = calibrate("j", "m", said)
    [it] = judged_by([judged(f"c{n}", n > 0) for n in range(40)], [found])
    assert it.verdict == "pass"
    assert "judges otherwise again in 0.0%" in it.why
    assert "its share of passes is 97.5%, people's would be 87.5%" in it.why


def test_comparisons_count_by_their_score() -> None:
    check = Check("judge_pairwise")
    one = pair("a", [True], [True], checks=(check,))
    made = Comparison("a", 0, 0, "o", Grade("pass", 1.0), "j", True)
    pairs = [replace(one, comparisons=(made, replace(made, grade=Grade("error"))))]
    assert of_comparisons(pairs, "j") == [1.0]
    assert of_comparisons(pairs, "k") == []
