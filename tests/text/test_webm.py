"""Blocks of WebM, in clusters whose ends are told or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.webm import heard

UNTOLD = b"\x01" + b"\xff" * 7
SEGMENT, CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"


def element(name: bytes, content: bytes) -> bytes:
    return name + (len(content) | 1 << 28).to_bytes(4) + content


def track(number: int, codec: bytes, kind: int) -> bytes:
    told = element(b"\xd7", bytes([number])) + element(b"\x83", bytes([kind]))
    return element(b"\xae", told + element(b"\x86", codec))


def block(packet: bytes, track_number: int = 1, flags: int = 0x80) -> bytes:
    return element(b"\xa3", bytes([0x80 | track_number, 0, 0, flags]) + packet)


TRACKS = element(b"\x16\x54\xae\x6b", track(1, b"A_OPUS", 2) + track(2, b"V_VP8", 1))
HEAD = element(b"\x1a\x45\xdf\xa3", bytes(5)) + SEGMENT + UNTOLD + TRACKS


@given(st.integers(1, 20), st.booleans())
def test_packets_are_summed_whatever_tells_where_clusters_end(count: int, told: bool) -> None:
    blocks = block(b"\x08" + bytes(9)) * count
    cluster = element(CLUSTER, blocks) if told else CLUSTER + UNTOLD + blocks
    found = heard(memoryview(HEAD + cluster * 2))
    assert found is not None and found[1:] == (0, True)
    assert found.seconds == pytest.approx(0.04 * count)


def test_blocks_in_groups_count_and_pictures_do_not() -> None:
    group = element(b"\xa0", element(b"\xa1", b"\x81\0\0\0\x08"))
    picture = block(bytes(100), track_number=2)
    found = heard(memoryview(HEAD + CLUSTER + UNTOLD + group + picture))
    assert found is not None and found[1:] == (0, True)
    assert found.seconds == pytest.approx(0.02)


def test_what_is_not_understood_is_left_by_its_bytes() -> None:
    laced = block(b"\x08" * 10, flags=0x02)
    other = HEAD.replace(b"V_VP8", b"A_AAC").replace(b"\x83\x10\0\0\1\1", b"\x83\x10\0\0\1\2")
    strange = block(bytes(50), track_number=2)
    found = heard(memoryview(other + CLUSTER + UNTOLD + laced + strange + block(b"\x08")))
    assert found is not None and found.seconds == pytest.approx(0.02)
    assert found.unread_bytes == 14 + 54


@given(st.permutations((b"\xd7\x81\1", b"\x83\x81\2", b"\x86\x86A_OPUS")))
def test_a_track_tells_of_itself_in_any_order(told: list[bytes]) -> None:
    tracks = element(b"\x16\x54\xae\x6b", element(b"\xae", b"".join(told)))
    head = element(b"\x1a\x45\xdf\xa3", bytes(5)) + SEGMENT + UNTOLD + tracks
    found = heard(memoryview(head + CLUSTER + UNTOLD + block(b"\x08" + bytes(9)) * 5))
    assert found is not None and found[1:] == (0, True)
    assert found.seconds == pytest.approx(0.1)


def test_of_what_track_a_block_is_may_be_told_behind_it() -> None:
    before = element(CLUSTER, block(b"\x08" + bytes(99)) * 5)
    start = HEAD.removesuffix(TRACKS)
    found = heard(memoryview(start + before + TRACKS + CLUSTER + UNTOLD + block(b"\x08")))
    assert found is not None and found.seconds == pytest.approx(0.02)
    assert found.unread_bytes == 5 * 104


def test_packets_that_are_encoded_once_more_are_not_looked_at() -> None:
    stripped = element(b"\x6d\x80", element(b"\x62\x40", bytes(4)))
    opus = track(1, b"A_OPUS", 2)
    tracks = element(b"\xae", opus[5:] + stripped) + track(3, b"A_OPUS", 2)
    head = element(b"\x1a\x45\xdf\xa3", bytes(5)) + SEGMENT + UNTOLD
    head += element(b"\x16\x54\xae\x6b", tracks)
    blocks = block(b"\x08" + bytes(99)) * 5 + block(b"\x08", track_number=3)
    found = heard(memoryview(head + CLUSTER + UNTOLD + blocks))
    assert found is not None and found.seconds == pytest.approx(0.02)
    assert found.unread_bytes == 5 * 104


def test_an_element_without_an_end_hides_nothing() -> None:
    hidden = b"\xec" + UNTOLD + block(b"\x08") * 3
    found = heard(memoryview(HEAD + CLUSTER + UNTOLD + block(b"\x08") + hidden))
    assert found is not None and found.seconds == pytest.approx(0.02)
    assert found.unread_bytes == len(hidden)


def test_without_a_track_of_opus_there_is_nothing_to_tell() -> None:
    assert heard(memoryview(HEAD.replace(b"A_OPUS", b"A_FLAC"))) is None
    assert heard(memoryview(HEAD[:9])) is None


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.text.webm._MOST_ELEMENTS", 20)
    found = heard(memoryview(HEAD + CLUSTER + UNTOLD + block(b"\x08") * 50))
    assert found is not None and 0 < found.seconds < 0.4 and found.unread_bytes > 200
