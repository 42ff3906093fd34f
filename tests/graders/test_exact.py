"""Exactly what is expected, as text and as JSON."""

import pytest
from tests.graders.graded import case, grade


def test_text_is_compared_as_it_is_unless_asked_otherwise() -> None:
    assert grade("exact", {}, "Yes", case(expected="yes")).verdict == "fail"
    assert grade("exact", {"ignore_case": True}, "YES", case(expected="yes")).verdict == "pass"
    assert grade("exact", {"trim": True}, " a  b\n", case(expected="a b")).verdict == "pass"
    assert grade("exact", {"normalise": True}, "The cat!", case(expected="cat")).verdict == "pass"


def test_one_of_several_is_enough_and_expecting_nothing_is_an_error() -> None:
    assert grade("exact", {}, "b", case(expected=["a", "b"])).verdict == "pass"
    assert grade("exact", {}, "b").verdict == "error"
    assert grade("exact", {}, "3", case(expected=3)).verdict == "pass"


@pytest.mark.parametrize(
    ("said", "expected", "verdict"),
    [
        ('{"b": 1.0, "a": [true]}', '{"a": [true], "b": 1}', "pass"),
        ("1", "true", "fail"),
        ("[1, 2]", "[2, 1]", "fail"),
        ("{", "{}", "fail"),
        ("{}", "{", "error"),
    ],
)
def test_json_is_compared_by_value(said: str, expected: str, verdict: str) -> None:
    assert grade("exact", {"json": True, "value": expected}, said).verdict == verdict
