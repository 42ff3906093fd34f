"""MP3, its elder layers and ADTS: the sum of frames, of whatever rates."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cpu import cpu_s

from tidegate.text.mpeg_audio import aac_hz, heard

# (version, layer, rate, frequency) of a head: its bytes and samples, from the tables of the norms.
FRAMES = {
    (3, 1, 9, 0): (417, 1152 / 44_100),  # MPEG-1, layer III, 128 kbit/s
    (3, 1, 1, 2): (144, 1152 / 32_000),
    (3, 1, 14, 1): (960, 1152 / 48_000),
    (2, 1, 8, 1): (192, 576 / 24_000),  # MPEG-2, 64 kbit/s
    (0, 1, 1, 2): (72, 576 / 8_000),  # MPEG-2.5, 8 kbit/s
    (3, 2, 4, 2): (288, 1152 / 32_000),  # layer II, 64 kbit/s
    (2, 3, 1, 1): (64, 384 / 24_000),  # layer I, 32 kbit/s
}


def frame(version: int, layer: int, rate: int, hz: int, padding: int = 0) -> bytes:
    size = FRAMES.get((version, layer, rate, hz), (0, 0))[0] + padding
    head = 0xFFE10000 | version << 19 | layer << 17 | rate << 12 | hz << 10 | padding << 9
    return struct.pack(">I", head) + bytes(max(size - 4, 0))


def adts(size: int, index: int = 8, blocks: int = 0) -> bytes:
    """A frame of AAC of so many bytes, its rate by index, with more blocks than one."""
    fixed = 0xFFF14000 | index << 10 | size >> 11
    rest = (size & 0x7FF) << 13 | 0x7FF << 2 | blocks
    return struct.pack(">I", fixed) + rest.to_bytes(3) + bytes(size - 7)


@pytest.mark.parametrize("kind", FRAMES)
def test_each_kind_of_frame_is_as_long_as_its_norm_says(kind: tuple[int, int, int, int]) -> None:
    found = heard(memoryview(frame(*kind) * 10))
    assert found is not None and found.unread_bytes == 0
    assert found.seconds == pytest.approx(10 * FRAMES[kind][1])


@given(st.lists(st.tuples(st.integers(1, 14), st.integers(0, 1)), min_size=2, max_size=60))
def test_a_rate_that_varies_is_summed(rates: list[tuple[int, int]]) -> None:
    kbps = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    told = b"".join(
        frame(3, 1, rate, 0, pad)[:4] + bytes(144 * kbps[rate - 1] * 1000 // 44_100 + pad - 4)
        for rate, pad in rates
    )
    for tagged in (told, b"ID3\4\0\0\0\0\0\5hello" + told, told + b"TAG" + bytes(125)):
        found = heard(memoryview(tagged))
        assert found is not None and found.unread_bytes == 0
        assert found.seconds == pytest.approx(len(rates) * 1152 / 44_100)


@pytest.mark.parametrize(
    "start", [b"#!AMR\n\x04\x05", b"FORM\0\0\0\0AIFF", b"\0\0\0\x08mdat", b"0&\xb2u\x8ef\xcf\x11"]
)
def test_what_looks_like_frames_in_a_file_of_another_kind_is_none(start: bytes) -> None:
    frames = frame(3, 1, 9, 0) * 10
    assert heard(memoryview(start + frames)) is None
    found = heard(memoryview(bytes([0, 200, 7, 0, 200, 1, 2, 3]) + frames))  # the end of a frame
    assert found is not None and found.unread_bytes == 8


def test_tags_without_end_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.text.mpeg_audio._MOST_TAGS", 3)
    tag, frames = b"ID3\4\0\0\0\0\0\0", frame(3, 1, 9, 0) * 10
    found = heard(memoryview(tag * 3 + frames))
    assert found is not None and found.unread_bytes == 0
    found = heard(memoryview(tag * 5 + frames))
    assert found is not None and found.unread_bytes == 20


def test_aac_is_counted_by_its_blocks() -> None:
    found = heard(memoryview(adts(200) + adts(90, blocks=3) + adts(7)))
    assert found is not None and found.seconds == pytest.approx(6 * 1024 / 16_000)
    assert aac_hz(12) == 7_350 and aac_hz(13) is None


def test_what_is_no_frame_is_left_by_its_bytes_and_frames_go_on_behind_it() -> None:
    one = frame(3, 1, 9, 0)
    found = heard(memoryview(one * 8 + b"?" * 1000 + one * 3))
    assert found is not None and found.unread_bytes == 1000
    assert found.seconds == pytest.approx(11 * 1152 / 44_100)
    other = frame(2, 1, 8, 1)  # of another rate: which of both is heard nobody knows
    found = heard(memoryview(one * 8 + other * 5))
    assert found is not None and found.unread_bytes == 5 * len(other)
    far = heard(memoryview(one * 8 + bytes(9000) + one * 3))
    assert far is not None and far.unread_bytes == 9000 + 3 * len(one)


@pytest.mark.parametrize(
    "told",
    [
        frame(3, 1, 9, 0),  # alone, with something behind it
        frame(3, 1, 0, 0) * 3,  # of a rate that is not told
        frame(3, 1, 15, 0) * 3,
        frame(1, 1, 9, 0) * 3,
        adts(7, index=13).replace(b"\xfc", b"\0") * 3,
    ],
    ids=["alone", "free", "bad", "reserved", "aac"],
)
def test_what_is_no_stream_is_none(told: bytes) -> None:
    assert heard(memoryview(told + b"and more")) is None


def test_work_is_bounded_and_the_rest_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.text.mpeg_audio.MOST_FRAMES", 10)
    one = frame(0, 1, 1, 2)
    found = heard(memoryview(one * 50))
    assert found is not None and found.unread_bytes == 40 * len(one)


def test_tags_without_end_are_not_followed() -> None:
    tags = memoryview(b"ID3\4\0\0\0\0\0\0" * 1_000_000)
    assert heard(tags) is None
    assert cpu_s(lambda: heard(tags)) < 0.3  # each of them looked at: more than a second
