"""Packets of Opus by their first two bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.opus import opus_ms


@pytest.mark.parametrize(
    ("config", "frame_ms"),
    [(0, 10), (1, 20), (2, 40), (3, 60), (11, 60), (12, 10), (13, 20), (16, 2.5), (31, 20)],
)
def test_a_frame_by_its_configuration(config: int, frame_ms: float) -> None:
    assert opus_ms(config << 3, 0) == frame_ms
    assert opus_ms(config << 3 | 1, 0) == opus_ms(config << 3 | 2, 0) == 2 * frame_ms
    assert opus_ms(config << 3 | 3, 2) == 2 * frame_ms
    assert opus_ms(config << 3 | 3, 0) == 0


@given(st.integers(0, 255), st.integers(0, 255))
def test_none_is_longer_than_any_may_be(first: int, second: int) -> None:
    assert 0 <= opus_ms(first, second) <= 120


def test_the_heads_of_a_file_are_no_packets() -> None:
    assert opus_ms(*b"Op") == 0
