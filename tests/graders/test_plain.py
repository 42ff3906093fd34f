"""What all graders of text share."""

import pytest
from msgspec import Struct
from tests.graders.graded import case

from tidegate.core.grading import Answered
from tidegate.graders._plain import MAX_CHARS, expected_text, expected_texts, unanswered, wrong


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
