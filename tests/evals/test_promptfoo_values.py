"""Values as promptfoo reads them."""

from typing import Any

import pytest

from tidegate.evals.promptfoo_values import Mistaken, number, text, texts


def test_scalars_are_texts_and_lists_are_lists_or_parted_by_commas() -> None:
    assert [text(value) for value in ("a", 1, True, 0.5)] == ["a", "1", "true", "0.5"]
    assert texts(["a", 1]) == ["a", "1"]
    assert texts("a, b") == ["a", "b"]
    assert [number({"n": value}, "n", 0.0) for value in (2, "0.5")] == [2, 0.5]
    assert number({}, "n", 0.75) == 0.75


@pytest.mark.parametrize("value", [None, [], {}, ""])
def test_what_is_nothing_is_no_list(value: Any) -> None:
    with pytest.raises(Mistaken):
        texts(value)


@pytest.mark.parametrize("value", ["high", True, -1, 1e13, [1]])
def test_what_is_no_number_is_told_by_its_name(value: Any) -> None:
    with pytest.raises(Mistaken, match="its `weight` must be a number"):
        number({"weight": value}, "weight", 1.0)
