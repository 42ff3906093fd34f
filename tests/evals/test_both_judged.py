"""What an answer has more of, and how Markdown is counted."""

from math import log

import pytest

from tidegate.evals.anchors import Anchor
from tidegate.evals.both_judged import Both, chars, marks, moved


def test_a_pair_is_a_ratio_and_an_answer_alone_its_own_length() -> None:
    alone = Both(Anchor("a", "xxx", (True,)), True, False)
    beside = Both(Anchor("b", "x" * 9, ("second",), "y" * 4), "second", "first")
    tie = Both(Anchor("c", "x", ("tie",), "y"), "tie", "first")
    one, two = moved([alone, beside, tie], chars)
    assert (one.people_first, one.judge_first, one.log_length) == (True, False, log(4))
    assert (two.people_first, two.judge_first) == (False, True)
    assert two.log_length == pytest.approx(log(2))


@pytest.mark.parametrize(
    ("text", "count"),
    [("plain - text 1. here", 0), ("- a\n* b\n 2. c\n3) d", 4), ("# T\n| a | b |\n```py", 3),
     ("so **bold** it is", 1), ("2 ** 3", 0)],
)  # fmt: skip
def test_marks_are_counted(text: str, count: int) -> None:
    assert marks(text) == count
