"""How long a turn may take, by the length of its answer."""

from typing import Any

import pytest

from tidegate.core.receipt import Receipt
from tidegate.core.turn_bound import TurnBound, in_time

BOUND = TurnBound(2.0, 0.05)


def answer(**fields: Any) -> Receipt:
    return Receipt("1", 1.8e9, "g0", "chat", **fields)


@pytest.mark.parametrize(
    ("fields", "most_s"),
    [
        ({"output_tokens": 0}, 2.0),
        ({"output_tokens": 100}, 7.0),
        ({"output_tokens": 20, "reasoning_tokens": 80}, 7.0),
        ({"output_tokens": 200, "choices": 2}, 7.0),
        ({"output_tokens": 100, "output_ceiling_tokens": 500}, 7.0),
    ],
)
def test_each_token_has_its_time(fields: dict[str, Any], most_s: float) -> None:
    assert in_time(answer(**fields), most_s, BOUND) is True
    assert in_time(answer(**fields), most_s + 0.001, BOUND) is False


def test_of_an_answer_whose_length_nobody_knows_only_what_is_sure_is_said() -> None:
    assert in_time(answer(), 2.0, BOUND) is True
    assert in_time(answer(), 2.1, BOUND) is None
    assert in_time(answer(output_ceiling_tokens=100), 7.0, BOUND) is None
    assert in_time(answer(output_ceiling_tokens=100), 7.1, BOUND) is False


def test_without_a_time_a_token_the_length_is_nothing() -> None:
    assert in_time(answer(output_tokens=900), 2.0, TurnBound(2.0)) is True
    assert in_time(answer(), 2.1, TurnBound(2.0)) is False
