"""Vectors of length one, as bytes."""

import struct

import numpy as np
import pytest

from tidegate.core.encoding import EncoderUnavailable
from tidegate.encoders._unit import unit


def test_a_vector_keeps_its_direction_and_gets_length_one() -> None:
    assert unit(np.array([3.0, 4.0]), 2) == struct.pack("<2f", 0.6, 0.8)
    assert unit(np.array([0.0, 0.0]), 2) is None


@pytest.mark.parametrize("wrong", [[1.0], [[1.0, 2.0]], [1.0, np.nan], [np.inf, 0.0]], ids=str)
def test_what_is_no_vector_is_said(wrong: list[float]) -> None:
    with pytest.raises(EncoderUnavailable):
        unit(np.array(wrong), 2)
