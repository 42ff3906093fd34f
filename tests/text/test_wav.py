"""How long a WAV is, by its head, and when that is not believed."""

import io
import struct
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.wav import wav_s


def wav(seconds: float = 1.0, hz: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(hz)
        file.writeframes(bytes(int(hz * seconds) * channels * width))
    return out.getvalue()


@given(
    st.integers(0, 3),
    st.sampled_from([8_000, 16_000, 44_100, 48_000]),
    st.integers(1, 2),
    st.integers(1, 4),
)
def test_its_length_is_told(seconds: int, hz: int, channels: int, width: int) -> None:
    found = wav_s(memoryview(wav(seconds, hz, channels, width)))
    assert found == pytest.approx(seconds)


def test_other_parts_may_come_first_and_a_length_may_be_unknown() -> None:
    plain = wav(2.0)
    listed = plain[:12] + b"LIST" + struct.pack("<I", 3) + b"abc\0" + plain[12:]
    assert wav_s(memoryview(listed)) == pytest.approx(2.0)
    piped = plain.replace(struct.pack("<4sI", b"data", 64_000), b"data\xff\xff\xff\xff")
    assert wav_s(memoryview(piped)) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"RIFX"),
        (8, b"AVI "),
        (20, struct.pack("<H", 0x11)),  # ADPCM: its samples are encoded
        (22, struct.pack("<H", 64)),
        (24, struct.pack("<I", 10**9)),
        (28, struct.pack("<I", 10**9)),
        (32, struct.pack("<H", 7)),
        (34, struct.pack("<H", 3)),
    ],
)
def test_one_that_contradicts_itself_is_not_believed(at: int, value: bytes) -> None:
    head = wav()
    assert wav_s(memoryview(head[:at] + value + head[at + len(value) :])) is None


def longer(kind: int, size: int = 40) -> bytes:
    """One whose head says further down what its samples are."""
    plain = wav()
    head = struct.pack("<H", 0xFFFE) + plain[22:36] + struct.pack("<HHI", 22, 16, 4)
    head += struct.pack("<H", kind) + bytes.fromhex("000000001000800000aa00389b71")
    chunk = b"fmt " + struct.pack("<I", size) + head
    return plain[:12] + chunk + plain[36:]


def test_a_longer_head_is_believed_where_its_samples_are_plain() -> None:
    assert wav_s(memoryview(longer(1))) == pytest.approx(1.0)
    assert wav_s(memoryview(longer(0x55))) is None  # MP3, which a second has few bytes of
    assert wav_s(memoryview(longer(1, size=18))) is None


def test_of_two_heads_neither_is_believed() -> None:
    """One decoder reads the first and another the last: so long may the audio be."""
    slow, dense = wav(2.0, 8_000, 1, 1), wav(0.0, 48_000, 2, 4)
    assert wav_s(memoryview(slow[:36] + dense[12:36] + slow[36:])) is None


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd(noise: bytes) -> None:
    for data in (noise, b"RIFF" + noise, wav()[:36] + noise, wav()[: len(noise)]):
        found = wav_s(memoryview(data))
        assert found is None or found >= 0
