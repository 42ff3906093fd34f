"""Of spans that overlap one is kept."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.guardrail import Span
from tidegate.guardrails._spans import first_longest


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ([], []),
        ([(3, 5, "b"), (0, 3, "a")], [(0, 3, "a"), (3, 5, "b")]),
        ([(0, 3, "short"), (0, 5, "long")], [(0, 5, "long")]),
        ([(1, 9, "later"), (0, 2, "first")], [(0, 2, "first")]),
        ([(0, 3, "named first"), (0, 3, "named second")], [(0, 3, "named first")]),
    ],
)
def test_the_first_and_of_those_that_begin_together_the_longest(
    found: list[Span], kept: list[Span]
) -> None:
    assert first_longest(found) == kept


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), max_size=12))
def test_none_overlap_and_none_that_is_left_out_would_have_fitted_before(
    drawn: list[tuple[int, int]],
) -> None:
    found = [(start, start + length, "it") for start, length in drawn]
    kept = first_longest(found)
    assert all(one[1] <= other[0] for one, other in pairwise(kept))
    for start, end, _ in found:
        assert any(one[0] <= start < one[1] and (one[0] < start or one[1] >= end) for one in kept)
