"""A kept answer comes back as it was, or not at all."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.kept_answer import KeptAnswer, packed, unpacked

ANSWERS = st.builds(
    KeptAnswer, made_at_s=st.floats(0, 2e9), fresh_s=st.floats(0, 1e6), took_s=st.floats(0, 1e6)
)


@given(ANSWERS)
def test_it_comes_back_as_it_was(answer: KeptAnswer) -> None:
    assert unpacked(packed(answer, b"k"), b"k") == answer
    assert unpacked(packed(answer, b"k"), b"l") is None


@given(ANSWERS, st.data())
def test_a_damaged_one_does_not_come_back(answer: KeptAnswer, data: st.DataObject) -> None:
    whole = packed(answer, b"k")
    at = data.draw(st.integers(0, len(whole) - 1))
    other = bytearray(whole)
    other[at] ^= data.draw(st.integers(1, 255))
    assert unpacked(bytes(other), b"k") is None
    assert unpacked(whole[:at], b"k") is None


def test_what_is_no_answer_is_none() -> None:
    assert unpacked(b"", b"k") is None
    assert unpacked(b"\x00\x00\x00\x00", b"k") is None
