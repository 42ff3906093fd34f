"""How long recorded audio is, in any of the usual containers.

What counts is what a decoder has to follow, frame by frame; what a head claims is not believed.
"""

from collections.abc import Callable
from typing import Final

from tidegate.text import flac, mp4, mpeg_audio, ogg, webm
from tidegate.text.frames_heard import Heard
from tidegate.text.wav import wav_s

_MAGIC: Final[tuple[tuple[int, bytes, Callable[[memoryview], Heard | None]], ...]] = (
    (0, b"fLaC", flac.heard),
    (0, b"OggS", ogg.heard),
    (0, b"\x1a\x45\xdf\xa3", webm.heard),
    (4, b"ftyp", mp4.heard),
)


def heard(data: memoryview) -> Heard | None:
    """None where it is nothing that is known here, or contradicts itself."""
    length_s = wav_s(data)
    if length_s is not None:
        return Heard(length_s, 0)
    for at, magic, read in _MAGIC:
        if bytes(data[at : at + len(magic)]) == magic:
            return _something(read(data))
    return _something(mpeg_audio.heard(data))


def _something(found: Heard | None) -> Heard | None:
    """None where no frame was found: what is not understood is not nothing."""
    return found if found is not None and found.seconds else None
