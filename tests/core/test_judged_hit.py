"""Bins of cosines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.judged_hit import BIN, routes_of_hits, score_bin, seated


@pytest.mark.parametrize(
    ("score", "bin_"),
    [(None, None), (0.8, 80), (0.8199, 80), (0.82, 82), (0.8312, 82), (1.0, 98), (-0.3, 0)],
)
def test_a_score_is_in_the_bin_whose_lower_edge_it_reaches(
    score: float | None, bin_: int | None
) -> None:
    assert score_bin(score) == bin_


@given(st.floats(-1.0, 1.0, allow_nan=False))
def test_every_score_is_in_one_bin_and_near_its_edge(score: float) -> None:
    bin_ = score_bin(score)
    assert bin_ is not None and 0 <= bin_ <= 98 and bin_ % BIN == 0
    if score > 0:
        assert bin_ / 100 - 1e-6 <= score <= (bin_ + BIN) / 100 + 1e-6


def test_a_judge_of_kept_answers_is_known_by_its_route_and_by_no_other() -> None:
    assert routes_of_hits(["faq", seated("chat"), seated("faq")]) == ["chat", "faq"]
