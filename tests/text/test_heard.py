"""How long files of real encoders are, and that no bytes are too odd."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.text.test_wav import wav

from tidegate.text.frames_heard import Heard
from tidegate.text.heard import heard

AUDIO = Path(__file__).resolve().parents[1] / "bytes/audio"
FILES = sorted(path.name for path in AUDIO.iterdir())
KNOWN = [name for name in FILES if name != "other.mka"]


def of(name: str) -> bytes:
    return (AUDIO / name).read_bytes()


@pytest.mark.parametrize("name", KNOWN)
def test_two_seconds_of_sound_are_that_and_what_its_encoder_pads(name: str) -> None:
    found = heard(memoryview(of(name)))
    assert found is not None and found[1:] == (0, True)
    assert 2.0 <= found.seconds < 2.0 + 0.13


def test_what_is_known_by_its_beginning() -> None:
    assert heard(memoryview(wav(1.5))) == Heard(1.5, 0)
    for unknown in (of("other.mka"), b"#!AMR\n" + bytes(90), b"", b"\xff" * 5000, b"OggS"):
        assert heard(memoryview(unknown)) is None


@pytest.mark.parametrize("name", KNOWN)
@settings(max_examples=30)
@given(data=st.data())
def test_a_file_that_is_changed_anywhere_is_told_from_above_or_not_at_all(
    name: str, data: st.DataObject
) -> None:
    """Cut, doubled, turned over: never an error, and what was not read is said to be so."""
    whole = of(name)
    at = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=40))
    for changed in (
        whole[:at],
        whole[:at] + noise + whole[at:],
        whole[:at] + noise + whole[at + len(noise) :],
        whole[at:] + whole[:at],
        whole + noise,
    ):
        found = heard(memoryview(changed))
        if found is not None:
            assert math.isfinite(found.seconds) and found.seconds > 0
            assert 0 <= found.unread_bytes <= len(changed)


@pytest.mark.parametrize("name", ["speech.mp3", "vbr.mp3", "file.mp2"])
@given(at=st.integers(100, 5600), noise=st.binary(min_size=1, max_size=300))
def test_what_a_stream_holds_besides_makes_it_no_shorter(name: str, at: int, noise: bytes) -> None:
    """Behind its tag: but for the frame that is hit, all frames count, or else their bytes do."""
    whole = of(name)
    plain = heard(memoryview(whole))
    found = heard(memoryview(whole[:at] + noise + whole[at:]))
    assert plain is not None and found is not None
    assert found.seconds + found.unread_bytes / 500 > plain.seconds - 0.4


@given(st.binary(max_size=300))
def test_no_bytes_are_too_odd(noise: bytes) -> None:
    for name in KNOWN:
        found = heard(memoryview(of(name)[:64] + noise))
        assert found is None or found.seconds > 0
    found = heard(memoryview(noise))
    assert found is None or found.seconds > 0
