"""How long a kept answer is of any use, and which outcomes are one."""

from typing import get_args

from tidegate.core.cache import ANSWERED, ExactCache, Outcome


def test_an_answer_is_of_use_as_long_as_somebody_may_have_it() -> None:
    assert ExactCache(10.0).keep_s == 10.0
    assert ExactCache(10.0, 5.0, 60.0).keep_s == 70.0
    assert ExactCache(10.0, 60.0, 5.0).keep_s == 70.0


def test_every_outcome_is_one_by_a_kept_answer_or_not() -> None:
    assert set(get_args(Outcome)) - ANSWERED == {"miss", "bypass", "refresh", "partial"}
