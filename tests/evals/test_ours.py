"""What other tools keep of a case for us."""

import pytest
from msgspec.structs import replace

from tidegate.core.grading import Case
from tidegate.evals.ours import kept_of, members

NAMES = ("id", "turns", "context", "must_pass", "strata", "threshold", "description")


def test_what_a_case_says_comes_back_and_what_it_does_not_is_not_there() -> None:
    case = Case("a", turns=(("user", "hi"),), must_pass=True, strata={"topic": "x"})
    kept = kept_of(case, NAMES)
    assert kept.keys() == {"id", "turns", "must_pass", "strata"}
    assert replace(Case(""), **members(kept)) == case
    assert kept_of(Case(""), NAMES) == {}


@pytest.mark.parametrize("odd", [3, {"must_pass": "yes"}, {"colour": "red"}, {"turns": [["a"]]}])
def test_what_is_not_of_that_form_is_told(odd: object) -> None:
    with pytest.raises(ValueError, match="`tidegate` is not as it was written"):
        members(odd)
