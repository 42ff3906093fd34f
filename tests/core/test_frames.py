"""Frames survive cutting and damage."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.frames import FRAME_HEADER_BYTES, MAX_FRAME_BYTES, framed, frames

payloads = st.binary(max_size=40)


@given(st.lists(payloads, min_size=1, max_size=4), st.data())
def test_a_cut_segment_gives_the_whole_frames_before_the_cut(
    written: list[bytes], data: st.DataObject
) -> None:
    segment = b"".join(map(framed, written))
    cut = data.draw(st.integers(0, len(segment)))
    read = list(frames(segment[:cut]))
    assert [payload for _, payload in read] == written[: len(read)]
    end = read[-1][0] if read else 0
    assert cut - end < FRAME_HEADER_BYTES + 41, "all that was whole was read"
    assert [payload for _, payload in frames(segment, end)] == written[len(read) :]


@given(payloads.filter(bool), payloads, st.data())
def test_a_damaged_payload_ends_the_reading_there(
    first: bytes, second: bytes, data: st.DataObject
) -> None:
    segment = bytearray(framed(first) + framed(second))
    at = data.draw(st.integers(FRAME_HEADER_BYTES, len(framed(first)) - 1))
    segment[at] ^= data.draw(st.integers(1, 255))
    assert list(frames(bytes(segment))) == [(0, None)]


def test_a_length_beyond_the_bound_is_damage() -> None:
    header = (MAX_FRAME_BYTES + 1).to_bytes(4, "little") + bytes(4)
    assert list(frames(header)) == [(0, None)]
