"""What judges and the prompts' own length add to a gate."""

import pytest
from msgspec.structs import replace
from tests.evals.asked import case, prompt
from tests.evals.runs import same
from tests.evals.test_calibration import judge as agreeing

from tidegate.core.prompt import Pin
from tidegate.evals.calibration import calibrate
from tidegate.evals.gate_judges import judged_by, judges_of, prompt_tokens
from tidegate.evals.outcome import Paired

KNOWN = (Pin("gpt-4o"),)


def by(pair: Paired, *judges: tuple[str, bool]) -> Paired:
    return replace(pair, candidate=tuple(replace(it, judges=judges) for it in pair.candidate))


def test_a_judge_that_only_informs_makes_it_inconclusive() -> None:
    one, two = same(2)
    assert not list(judged_by([one, two], ()))
    known = [calibrate("a" * 64, "m-1", agreeing(1.0))]
    sure = [by(one, ("a" * 64, True)), by(two, ("a" * 64, True))]
    assert [it.verdict for it in judged_by(sure, known)] == ["pass"]
    for doubtful in (("a" * 64, False), ("b" * 64, False), ("", False)):
        [found] = judged_by([*sure, by(one, doubtful)], known)
        assert found.verdict == "inconclusive"
    for since in ((), [replace(known[0], anchors=9)]):  # a run that is resumed later
        assert [it.verdict for it in judged_by(sure, since)] == ["inconclusive"]
    assert judges_of([*sure, by(one, ("a" * 64, False))]) == {"a" * 64: False}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("You know {{ fact }}!", "pass"), ("You know {{ fact }}, and so it really is.", "warn"),
     ("You know {{ fact }}. " * 4, "block")],
)  # fmt: skip
def test_longer_prompts_are_told_exactly(text: str, verdict: str) -> None:
    old, new = prompt("v1"), prompt("v2", text, pins=KNOWN)
    [found] = prompt_tokens(old, new, [case("why?"), case("when?")])
    assert found.verdict == verdict
    assert "by o200k" in found.why


def test_without_a_tokenizer_or_another_version_nothing_is_said() -> None:
    assert not list(prompt_tokens(prompt("v1"), prompt("v2"), [case("a")]))
    assert not list(prompt_tokens(None, prompt("v2", pins=KNOWN), [case("a")]))
    same_ = prompt("v1", pins=KNOWN)
    assert not list(prompt_tokens(same_, same_, [case("a")]))


def test_cases_that_one_version_cannot_be_rendered_with_are_no_pass() -> None:
    old, new = prompt("v1"), prompt("v2", pins=KNOWN)
    [found] = prompt_tokens(old, new, [case("a"), case("b", variables={})])
    assert found.verdict == "inconclusive"
