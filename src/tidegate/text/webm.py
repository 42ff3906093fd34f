"""How long the audio of a WebM or Matroska file is: the sum of its packets of Opus.

Elements: RFC 9559; what is said of the length as a whole is not read, and is often not there.
"""

from collections.abc import Iterator
from typing import Final

from tidegate.text.frames_heard import Heard
from tidegate.text.opus import opus_ms

_TRACK: Final = 0xAE
_NUMBER: Final = 0xD7
_TYPE: Final = 0x83
_CODEC: Final = 0x86
_ENCODINGS: Final = 0x6D80
_SIMPLE: Final = 0xA3
_BLOCK: Final = 0xA1
# What is looked into: segment, cluster, group of blocks, tracks.
_HOLDERS: Final = frozenset({0x18538067, 0x1F43B675, 0xA0, 0x1654AE6B})
_AUDIO: Final = 2
_OPUS: Final = b"A_OPUS"
_LACED: Final = 0x06
# Each is several times the work of another codec's.
_MOST_ELEMENTS: Final = 32_768
_TIME_AND_FLAGS: Final = 3

# Codecs by a track's number: b"" where nobody knows, None where it is of no audio.
_Tracks = dict[int, bytes | None]


def heard(data: memoryview) -> Heard | None:
    """None where it has no track of Opus."""
    at = unread = 0
    seconds = 0.0
    tracks: _Tracks = {}
    budget = iter(range(_MOST_ELEMENTS))
    while at < len(data) and next(budget, None) is not None:
        element = _element(data, at)
        if element is None:
            break
        name, begins, ends = element
        at = begins if name in _HOLDERS else ends
        if name in (_SIMPLE, _BLOCK):
            packet_s = _packet_s(data, begins, ends, tracks)
            seconds += packet_s or 0.0
            unread += ends - begins if packet_s is None else 0
        elif name == _TRACK:
            number, codec = _track(data[begins:ends], budget)
            tracks[number] = b"" if number in tracks else codec
    if _OPUS not in tracks.values():
        return None
    return Heard(seconds, unread + max(len(data) - at, 0))


def _track(track: memoryview, budget: Iterator[int]) -> tuple[int, bytes | None]:
    """Its number and codec, in whatever order they come. Its packets may be encoded once more."""
    at = number = kind = 0
    codec, encoded = b"", False
    while at < len(track) and next(budget, None) is not None:
        element = _element(track, at)
        if element is None:
            break
        name, begins, at = element
        if name == _NUMBER:
            number = int.from_bytes(track[begins:at][:8])
        elif name == _TYPE:
            kind = int.from_bytes(track[begins:at][:8])
        elif name == _CODEC:
            codec = bytes(track[begins:at][:32]).rstrip(b"\0")
        encoded = encoded or name == _ENCODINGS
    if kind not in (0, _AUDIO):
        return number, None
    return number, b"" if encoded else codec


def _packet_s(data: memoryview, begins: int, ends: int, tracks: _Tracks) -> float | None:
    """0 where it is of no audio; None where it is not known how long it is, or of which track."""
    track = _number(data, begins, keep=False)
    if track is None:
        return None
    at = track[1] + _TIME_AND_FLAGS
    codec = tracks.get(track[0], b"")
    if codec is None:
        return 0.0
    if codec != _OPUS or at >= ends or data[at - 1] & _LACED:
        return None
    return opus_ms(data[at], data[at + 1] if at + 1 < ends else 0) / 1000


def _element(data: memoryview, at: int) -> tuple[int, int, int] | None:
    """What it is, and where it begins and ends."""
    told = _number(data, at, keep=True)
    size = None if told is None else _number(data, told[1], keep=False)
    if told is None or size is None:
        return None
    begins = size[1]
    open_ended = size[0] == (1 << 7 * (begins - told[1])) - 1
    if open_ended and told[0] not in _HOLDERS:
        return None
    ends = len(data) if open_ended else begins + size[0]
    return told[0], begins, min(ends, len(data))


def _number(data: memoryview, at: int, *, keep: bool) -> tuple[int, int] | None:
    """A number whose first bits say how long it is, kept or not, and where it ends."""
    first = data[at] if at < len(data) else 0
    if first & 0x80:  # most are so short
        return (first if keep else first & 0x7F), at + 1
    if not first:
        return None
    length = 9 - first.bit_length()
    if at + length > len(data):
        return None
    value = int.from_bytes(data[at : at + length])
    return (value if keep else value & (1 << 7 * length) - 1), at + length
