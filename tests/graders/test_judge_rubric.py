"""A judge with a rubric."""

from tests.graders.graded import Judge, case, grade

from tidegate.core import plugs


def test_the_verdict_is_computed_from_the_score() -> None:
    for score, verdict in ((0.69, "fail"), (0.7, "pass")):
        judge = Judge(f'{{"reason": "because", "score": {score}}}')
        found = grade("judge_rubric", {"rubric": "kind", "threshold": 0.7}, "hi", ask=judge)
        assert (found.verdict, found.score) == (verdict, score)
        assert "because" in found.why


def test_what_a_preset_needs_has_to_be_there() -> None:
    judge = Judge('{"reason": "r", "score": 1}')
    options = {"preset": "faithfulness"}
    assert grade("judge_rubric", options, "hi", ask=judge).verdict == "error"
    assert judge.asked == []
    assert grade("judge_rubric", options, "hi", case(context=("c",)), judge).verdict == "pass"
    assert "CONTEXT" in judge.asked[0][1][1]


def test_the_case_is_shown_and_nothing_else_is_known_of_who_answered() -> None:
    judge = Judge('{"reason": "r", "score": 1}')
    of = case(variables={"q": "why?"}, expected="so", context=("page",))
    grade("judge_rubric", {"rubric": ["kind", "short"]}, "because", of, judge)
    system, shown = judge.asked[0][0][1], judge.asked[0][1][1]
    assert "- kind\n- short" in system
    assert [text in shown for text in ("q: why?", "so", "page", "because")] == [True] * 4


def test_choices_have_scores_and_no_other_is_believed() -> None:
    options = {"rubric": "funny?", "choices": {"yes": 1, "no": 0, "unsure": 0.5}}
    judge = Judge('{"reason": "r", "choice": "unsure"}')
    assert grade("judge_rubric", options, "ha", ask=judge).score == 0.5
    assert '"yes"' in judge.asked[0][0][1]


def test_its_prompt_tells_it_from_other_judges() -> None:
    plug = plugs.load("graders", "judge_rubric")
    assert plug.prompt({"rubric": "a"}) != plug.prompt({"rubric": "b"})
    assert plug.prompt({"rubric": "a"}) != plug.prompt({"rubric": "a", "choices": {"x": 1, "y": 0}})


def test_what_is_made_of_its_reply_tells_it_from_other_judges_too() -> None:
    plug = plugs.load("graders", "judge_rubric")
    known = {
        plug.prompt({"rubric": "a", **said})
        for said in (
            {},
            {"threshold": 0.9},
            {"choices": {"x": 1, "y": 0}},
            {"choices": {"x": 0, "y": 1}},
            {"choices": {"x": 1, "y": 0}, "threshold": 0.9},
        )
    }
    assert len(known) == 5
    assert plug.prompt({"rubric": "a", "threshold": 0.5}) == plug.prompt({"rubric": "a"})
    shown = plug.prompt({"rubric": "a", "reference": "b"})
    assert shown == plug.prompt({"rubric": "a"}), "what it judges by is of the case"
