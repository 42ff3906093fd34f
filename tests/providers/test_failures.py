"""What is said of an answer that is none, whoever gave it."""

import pytest

from tidegate.core.outcome import Failure
from tidegate.providers._failures import half_way, malformed, no_answer, reason_of, unknown_end


def test_each_has_its_kind_and_code() -> None:
    told = [(it.kind, it.code.name) for it in (malformed("x"), no_answer(), half_way())]
    assert told == [("malformed", "upstream_malformed")] * 2 + [
        ("interrupted", "upstream_interrupted")
    ]


def test_an_end_that_nobody_knows_is_no_guess() -> None:
    assert reason_of({"max": "length"}, "max") == "length"
    with pytest.raises(Failure) as failed:
        reason_of({"max": "length"}, "new")
    assert failed.value.kind == unknown_end().kind == "interrupted"
