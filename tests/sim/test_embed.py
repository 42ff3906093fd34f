import base64
import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from tidegate.sim.embed import as_base64, vector

IDS = st.lists(st.integers(0, 2**32 - 1), max_size=30)


@given(IDS, st.integers(1, 64), st.integers(0, 9))
def test_a_vector_has_length_one_and_depends_on_nothing_else(ids, dimensions, seed):
    values = vector(ids, dimensions, seed)
    assert len(values) == dimensions
    assert math.isclose(sum(x * x for x in values), 1.0)
    assert values == vector(ids, dimensions, seed)


def test_similar_texts_are_nearer_than_others():
    def near(one, other):
        return sum(a * b for a, b in zip(vector(one, 256, 1), vector(other, 256, 1), strict=True))

    assert near(range(20), range(1, 21)) > 0.7
    assert near(range(20), range(100, 120)) < 0.4


def test_base64_is_little_endian_float32():
    packed = base64.b64decode(as_base64([0.5, -1.0]))
    assert struct.unpack("<2f", packed) == (0.5, -1.0)
