"""What all graders of text share."""

import pytest
from msgspec import Struct
from tests.graders.graded import case

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._plain import (
    MAX_CHARS,
    Plain,
    expected_text,
    expected_texts,
    passed,
    unanswered,
    wrong,
)


class Options(Struct):
    colour: str
    depth: int = 1


def test_an_unknown_option_is_told_with_the_one_that_was_meant() -> None:
    assert wrong(Options, {"color": "red"}, None) == (
        'unknown option "color"; did you mean "colour"?'
    )
    assert wrong(Options, {"colour": "red", "depth": "1"}, None) is not None
    assert wrong(Options, {"colour": "red"}, lambda it: f"no {it.colour}") == "no red"
    assert wrong(Options, {"colour": "red"}, None) is None


def test_options_are_read_once_for_many_answers() -> None:
    looked: list[Options] = []

    def mark(case: Case, answered: Answered, options: Options) -> Grade:
        return passed(answered.output == options.colour, "looked at")

    plain = Plain(Options, mark, looked.append)
    marking = plain.marking({"colour": "red"})
    answers = [Answered("red"), Answered("blue"), Answered(None)]
    assert [marking(case(), it).verdict for it in answers] == ["pass", "fail", "error"]
    assert len(looked) == 1
    refused = plain.marking({"color": "red"})
    assert [refused(case(), it).verdict for it in answers] == ["error"] * 3


@pytest.mark.parametrize(
    "answered",
    [
        Answered(None),
        Answered("cut", "interrupted"),
        Answered("a" * (MAX_CHARS + 1)),
        Answered("\ud800"),
    ],
)
def test_what_is_no_whole_text_is_no_answer(answered: Answered) -> None:
    missing = unanswered(answered)
    assert missing is not None
    assert missing.verdict == "error"


def test_an_empty_answer_is_an_answer() -> None:
    assert unanswered(Answered("")) is None


def test_what_is_expected_is_text_or_the_json_that_it_is() -> None:
    assert expected_text(case(expected="a")) == "a"
    assert expected_text(case(expected={"a": 1})) == '{"a":1}'
    assert expected_text(case()) is None
    assert expected_texts(case(expected=["a", 1])) == ("a", "1")
    assert expected_texts(case()) == ()
