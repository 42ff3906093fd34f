"""Frames of FLAC, told by their heads and the checks of those."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text import flac
from tidegate.text.flac import heard


def head(hz: int = 16_000) -> bytes:
    info = bytes(10) + (hz << 44 | 15 << 36).to_bytes(8) + bytes(16)
    return b"fLaC" + b"\x80\0\0\x22" + info


def frame(block: int, rate: int = 0, told: bytes = b"", number: bytes = b"\0") -> bytes:
    plain = b"\xff\xf8" + bytes([block << 4 | rate, 0x08]) + number + told
    return plain + bytes([flac._crc8(plain)]) + bytes(20)


@given(st.lists(st.integers(8, 15), max_size=30))
def test_frames_are_summed(blocks: list[int]) -> None:
    found = heard(memoryview(head() + b"".join(frame(block) for block in blocks)))
    assert found is not None and found.unread_bytes == 0
    assert found.seconds == pytest.approx(sum(256 << (it - 8) for it in blocks) / 16_000)


@pytest.mark.parametrize(
    ("made", "samples", "hz"),
    [
        (frame(1), 192, 16_000),
        (frame(2), 576, 16_000),
        (frame(6, 0, b"\x63"), 100, 16_000),
        (frame(7, 0, b"\x03\xe7"), 1000, 16_000),
        (frame(12, 4), 4096, 8_000),
        (frame(12, 9), 4096, 16_000),  # the slower of two
        (frame(12, 12, b"\x08"), 4096, 8_000),
        (frame(12, 13, b"\x1f\x40"), 4096, 8_000),
        (frame(12, 14, b"\x03\x20"), 4096, 8_000),
        (frame(12, number=b"\xc4\x80"), 4096, 16_000),
        (frame(12, number=b"\xfe" + b"\x80" * 6), 4096, 16_000),
    ],
)
def test_each_way_to_tell_a_size_and_a_rate(made: bytes, samples: int, hz: int) -> None:
    found = heard(memoryview(head() + made))
    assert found is not None and found.seconds == pytest.approx(samples / hz)


def test_what_only_looks_like_a_frame_counts_nothing() -> None:
    good = frame(12)
    wrong = good[:5] + bytes([good[5] ^ 1]) + good[6:]
    for odd in (wrong, frame(12, 15), frame(12, number=b"\x80"), good[:5]):
        found = heard(memoryview(head() + odd))
        assert found is not None and found.seconds == 0
    for unlike in (head(0) + good, head()[:30], b"fLaC\x01" + head()[5:] + good):
        assert heard(memoryview(unlike)) is None


def test_work_is_bounded_and_the_rest_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.text.flac._MOST_FRAMES", 3)
    found = heard(memoryview(head() + frame(12) * 10))
    assert found is not None and found.seconds == pytest.approx(3 * 4096 / 16_000)
    assert found.unread_bytes == 8 * len(frame(12))
