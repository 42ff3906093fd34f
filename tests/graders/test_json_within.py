"""JSON between words."""

from typing import Any

import pytest

from tidegate.graders._json_within import TooTangled, json_within


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a {"b": "}"} c [1] d', [{"b": "}"}, [1]]),
        ('{not json} {"a": {"b": [2]}}', [{"a": {"b": [2]}}]),
        ('{ {"a": 1}', [{"a": 1}]),
        (r'{"a": "\"{"}', [{"a": '"{'}]),
        ("nothing", []),
        ("3 and true", []),
    ],
)
def test_objects_and_arrays_are_found_in_order(text: str, found: list[Any]) -> None:
    assert list(json_within(text)) == found


def test_a_text_that_cannot_be_searched_in_bounded_time_is_not_said_to_hold_none() -> None:
    with pytest.raises(TooTangled):
        list(json_within("{" * 100_000))
