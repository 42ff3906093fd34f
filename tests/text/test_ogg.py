"""Packets in the pages of Ogg, of Opus and of Vorbis."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.ogg import heard

OPUS = b"OpusHead\1\1" + bytes(9)
TAGS = b"OpusTags" + bytes(8)
# 44.1 kHz, blocks of 256 and 2048.
VORBIS = struct.pack("<7sIBI12xBB", b"\x01vorbis", 0, 1, 44_100, 11 << 4 | 8, 1)


def page(*packets: bytes, kind: int = 0, serial: int = 1, opens: bool = False) -> bytes:
    """`opens`: the last of them goes on in the next."""
    sizes = b""
    for packet in packets:
        sizes += b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    if opens:
        sizes = sizes[:-1]
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, kind, -1, serial, 0, 0, len(sizes))
    return head + sizes + b"".join(packets)


BEGUN = page(OPUS, kind=2) + page(TAGS)


@given(st.lists(st.integers(1, 600), min_size=1, max_size=20))
def test_packets_are_summed_in_whatever_pages(sizes: list[int]) -> None:
    packets = [b"\x08" + bytes(size - 1) for size in sizes]  # SILK, 20 ms each
    together = BEGUN + page(*packets)
    alone = BEGUN + b"".join(page(packet) for packet in packets)
    for told in (together, alone):
        found = heard(memoryview(told))
        assert found is not None and found[1:] == (0, True)
        assert found.seconds == pytest.approx(0.02 * len(sizes))


def test_a_packet_that_goes_on_counts_once() -> None:
    told = BEGUN + page(b"\x08" + bytes(509), opens=True) + page(bytes(30), b"\x08", kind=1)
    found = heard(memoryview(told))
    assert found is not None and found.seconds == pytest.approx(0.04)


def test_where_a_page_is_missing_the_rest_is_left() -> None:
    rest = page(bytes(30), b"\x08", kind=1)
    found = heard(memoryview(BEGUN + page(b"\x08") + rest))
    assert found is not None and found.seconds == pytest.approx(0.02)
    assert found.unread_bytes == len(rest)


def test_what_a_page_that_is_cut_off_would_have_held_is_not_unread() -> None:
    strange = page(b"Speex   " + bytes(80), kind=2, serial=3)
    for cut in range(1, 80):
        found = heard(memoryview(BEGUN + page(b"\x08") + strange[:-cut]))
        assert found is not None and found.unread_bytes == len(strange) - cut


def test_streams_one_behind_the_other_are_summed_and_strangers_left() -> None:
    second = page(OPUS, kind=2, serial=2) + page(b"\x08", serial=2)
    strange = page(b"Speex   " + bytes(80), kind=2, serial=3) + page(bytes(50), serial=3)
    found = heard(memoryview(BEGUN + page(b"\x08") + second + strange))
    assert found is not None and found.seconds == pytest.approx(0.04)
    assert found.unread_bytes == len(strange)
    assert heard(memoryview(strange)) is None


def test_audio_beside_the_head_is_audio() -> None:
    found = heard(memoryview(page(OPUS, b"\x08", b"\x08", kind=2)))
    assert found is not None and found.seconds == pytest.approx(0.04)


def test_vorbis_is_bounded_from_above() -> None:
    told = page(VORBIS, kind=2) + page(b"\x03vorbis", b"\x05vorbis") + page(b"\0a", b"\2b", b"")
    found = heard(memoryview(told))
    assert found is not None and not found.exact and found.unread_bytes == 0
    assert found.seconds == pytest.approx(2 * 1024 / 44_100)


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.text.ogg.MOST_FRAMES", 40)
    found = heard(memoryview(BEGUN + page(b"\x08") * 100))
    assert found is not None and 0 < found.seconds < 0.1 and found.unread_bytes > 2000
