"""Numbers in an answer."""

from decimal import Decimal

import pytest
from tests.graders.graded import case, grade

from tidegate.graders.numeric import numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it costs $1,234.50.", ["1234.50"]),
        ("from -3 to +4, 5-6", ["-3", "4", "5", "6"]),
        ("v2 of item7 and 1.5e3", ["1.5e3"]),
        ("1,23 and 1,2345", ["1", "23", "1", "2345"]),
        (".5 or 0.5", ["0.5", "0.5"]),
        ("\N{MINUS SIGN}18", ["-18"]),
        ("9" * 80, []),
        ("none", []),
    ],
)
def test_numbers_of_a_text(text: str, found: list[str]) -> None:
    assert numbers(text) == [Decimal(it) for it in found]


def test_which_number_and_how_far_off() -> None:
    of = case(expected="2 + 2 #### 4")
    assert grade("numeric", {}, "2 and 2 make 4", of).verdict == "pass"
    assert grade("numeric", {"which": "first"}, "2 and 2 make 4", of).verdict == "fail"
    assert grade("numeric", {"which": "only"}, " 4 ", of).verdict == "pass"
    assert grade("numeric", {"which": "only"}, "it is 4", of).verdict == "fail"
    assert grade("numeric", {"absolute": 0.1}, "4.1", of).verdict == "pass"
    assert grade("numeric", {"absolute": 0.1}, "4.11", of).verdict == "fail"
    assert grade("numeric", {}, "four", of).verdict == "fail"
    assert grade("numeric", {}, "4", case(expected="four")).verdict == "error"
