"""Which captured answers are live answers' to grade, and what people are told of them."""

import pytest
from tests.stores.said import captured

from tidegate.evals.captured_cases import NoCase
from tidegate.evals.live_matter import Answers


def test_a_whole_answer_is_graded_and_one_that_broke_off_is_left_out() -> None:
    assert Answers().is_whole(captured())
    assert not Answers().is_whole(captured(cut=True, shortened=True))
    with pytest.raises(NoCase):
        Answers().is_whole(captured(shortened=True))


def test_people_are_told_what_waits_for_it_and_that_it_is_over() -> None:
    told = Answers().tell("chat", "its judge is away")
    assert "Releases" in told.text and (told.key, told.resolved) == ("quality/chat", False)
    over = Answers().tell("chat", None)
    assert (over.key, over.title, over.resolved) == (told.key, told.title, True)
