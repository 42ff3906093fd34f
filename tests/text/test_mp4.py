"""Samples of AAC in MP4, whole and in fragments."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.mp4 import heard

FTYP = struct.pack(">I4s4sI", 16, b"ftyp", b"M4A ", 0)


def box(name: bytes, *inner: bytes) -> bytes:
    content = b"".join(inner)
    return struct.pack(">I4s", 8 + len(content), name) + content


def esds(specific: bytes, codec: int = 0x40) -> bytes:
    decoder = b"\x04\x80\x80\x80" + bytes([18 + len(specific)]) + bytes([codec, 0x15]) + bytes(11)
    told = b"\x05\x80\x80\x80" + bytes([len(specific)]) + specific
    return box(b"esds", bytes(4), b"\x03\x80\x80\x80\x30\0\1\0", decoder, told)


def lc(index: int) -> bytes:
    return (2 << 11 | index << 7 | 1 << 3).to_bytes(2)


def track(
    count: int,
    specific: bytes,
    *,
    kind: bytes = b"soun",
    codec: bytes = b"mp4a",
    of: bytes = b"stsz",
) -> bytes:
    entry = box(codec, bytes(28), esds(specific))
    described = box(b"stsd", struct.pack(">II", 0, 1), entry)
    sizes = box(of, struct.pack(">III", 0, 0, count), bytes(4 * min(count, 9)))
    named = box(b"hdlr", bytes(8), kind, bytes(12))
    return box(b"trak", box(b"mdia", named, box(b"minf", box(b"stbl", described, sizes))))


def of(*tracks: bytes, rest: bytes = b"") -> memoryview:
    return memoryview(FTYP + box(b"mdat", bytes(40)) + box(b"moov", *tracks) + rest)


@given(st.integers(1, 10**6), st.integers(0, 12))
def test_a_sample_has_1024_values(count: int, index: int) -> None:
    hz = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
    for name in (b"stsz", b"stz2"):
        found = heard(of(track(count, lc(index), of=name)))
        assert found is not None and found.seconds == pytest.approx(count * 1024 / hz[index])


def test_a_rate_of_its_own_and_one_below_another() -> None:
    own = (2 << 35 | 15 << 31 | 20_000 << 7).to_bytes(5)
    found = heard(of(track(10, own)))
    assert found is not None and found.seconds == pytest.approx(10 * 1024 / 20_000)
    sbr = (5 << 35 | 7 << 31 | 1 << 27 | 4 << 23).to_bytes(5)  # 22.05 kHz, heard as 44.1
    found = heard(of(track(10, sbr)))
    assert found is not None and found.seconds == pytest.approx(10 * 1024 / 22_050)


def test_fragments_and_tracks_are_summed_and_pictures_are_not() -> None:
    run = box(b"trun", struct.pack(">II", 0, 7))
    moof = box(b"moof", box(b"traf", run, run))
    found = heard(of(track(0, lc(4)), track(3, b"", kind=b"vide", codec=b"avc1"), rest=moof))
    assert found is not None and found.seconds == pytest.approx(14 * 1024 / 44_100)
    assert not found.exact  # a run of pictures would count too
    both = heard(of(track(5, lc(4)), track(6, lc(4))))
    assert both is not None and both.seconds == pytest.approx(11 * 1024 / 44_100)
    assert heard(of(track(5, lc(4)), track(6, lc(4)), rest=moof)) is None


@pytest.mark.parametrize(
    "made",
    [
        track(5, lc(13)),
        track(5, b"\xf9\x00"),  # a kind beyond these
        track(5, (42 << 10).to_bytes(3)),
        track(5, b""),
        track(5, lc(4), codec=b"alac"),
        track(5, lc(4), kind=b"vide"),
    ],
    ids=["rate", "beyond", "usac", "empty", "alac", "video"],
)
def test_what_is_no_plain_aac_is_none(made: bytes) -> None:
    assert heard(of(made)) is None


SOUND = box(b"hdlr", bytes(8), b"soun", bytes(12))


@pytest.mark.parametrize(
    "other",
    [
        track(10**6, lc(4), kind=b"vide").replace(b"mdia", b"mdia" + SOUND, 1),
        track(10**6, lc(4), kind=b"vide").replace(b"stbl", b"stbl" + SOUND, 1),
        track(10**6, lc(4), kind=b"data"),
        track(10**6, lc(4), kind=b"text"),
    ],
    ids=["first", "elsewhere", "other", "text"],
)
def test_a_track_that_some_take_for_sound_is_not_passed_over(other: bytes) -> None:
    """ffmpeg goes by the last handler, and by the kind of samples where that names no film."""
    assert heard(of(track(5, lc(4)), other)) is None


@pytest.mark.parametrize(
    ("edits", "wide", "good"),
    [
        *(([1024], False, True), ([-1, 0], False, True), ([-1, 2112], True, True)),
        *(([0, 0], False, False), ([0, 5], True, False), ([-1] * 9, False, False)),
    ],
)
def test_samples_that_are_played_again_are_not_counted_once(
    edits: list[int], wide: bool, good: bool
) -> None:
    form = ">qqI" if wide else ">iiI"
    told = b"".join(struct.pack(form, 99, start, 1 << 16) for start in edits)
    head = struct.pack(">BxxxI", wide, len(edits))
    made = track(5, lc(4))[8:] + box(b"edts", box(b"elst", head, told))
    assert (heard(of(box(b"trak", made))) is not None) == good


def test_chapters_are_no_sound() -> None:
    found = heard(of(track(5, lc(4)), track(3, b"", kind=b"text", codec=b"tx3g")))
    assert found is not None and found.exact
    assert found.seconds == pytest.approx(5 * 1024 / 44_100)


def test_another_codec_in_the_same_box_is_none() -> None:
    made = track(5, lc(4))
    assert heard(of(made)) is not None
    assert heard(of(made.replace(esds(lc(4)), esds(lc(4), 0x6B)))) is None  # MP3


def test_boxes_beyond_all_bounds_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.text.mp4._MOST_BOXES", 20)
    assert heard(of(track(5, lc(4)), rest=box(b"free") * 50)) is None
    assert heard(memoryview(FTYP + struct.pack(">I4s", 1, b"moov"))) is None
