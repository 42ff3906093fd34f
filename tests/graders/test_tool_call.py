"""Which tools are called, and with what."""

from typing import Any

import pytest
from tests.graders.graded import grade

from tidegate.core.grading import Answered

CALLS = (("find", '{"city": "Rome", "days": 3}'), ("book", ""))


def score(options: dict[str, Any], calls: tuple[tuple[str, str], ...] = CALLS) -> float | str:
    found = grade("tool_call", options, Answered("", tool_calls=calls))
    return found.verdict if not isinstance(found.score, float) else round(found.score, 3)


@pytest.mark.parametrize(
    ("calls", "f1"),
    [
        (["find", "book"], 1.0),
        (["find"], 0.667),
        (["pay"], 0.0),
        (["find", "find", "book"], 0.8),
        ([{"name": "find", "arguments": {"days": 3.0}}, "book"], 1.0),
        ([{"name": "find", "arguments": {"days": 4}}, "book"], 0.5),
        ([{"name": "find", "arguments": {"days": 3}, "exactly": True}, "book"], 0.5),
        ([{"name": "book", "arguments": {}, "exactly": True}, "find"], 1.0),
        ([], 0.0),
    ],
)
def test_the_f1_of_calls(calls: list[Any], f1: float) -> None:
    assert score({"calls": calls}) == f1


def test_names_count_once_and_order_where_it_is_asked() -> None:
    assert score({"calls": ["find"], "by": "names"}, (CALLS[0], CALLS[0])) == 1.0
    assert score({"calls": ["book", "find"]}) == 1.0
    assert score({"calls": ["book", "find"], "order": True}) == 0.5


def test_no_call_is_right_where_none_is_expected() -> None:
    assert score({"calls": []}, ()) == 1.0
    assert score({"calls": ["find"]}, ()) == 0.0
    assert grade("tool_call", {"calls": []}, Answered(None)).verdict == "error"


def test_a_call_that_asks_more_of_its_arguments_chooses_first() -> None:
    wanted = ["find", {"name": "find", "arguments": {"days": 3}}]
    calls = (CALLS[0], ("find", "{}"))
    assert score({"calls": wanted}, calls) == 1.0


def test_every_call_has_to_fit_its_tool() -> None:
    schemas = {"find": {"required": ["city"]}, "book": True}
    assert score({"schemas": schemas}) == 1.0
    assert score({"schemas": {"find": True}}) == 0.0
    assert score({"schemas": schemas}, (("find", "{"),)) == 0.0
    assert score({"schemas": schemas}, ()) == 0.0
