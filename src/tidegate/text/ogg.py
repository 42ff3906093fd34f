"""How long the audio of an Ogg file is: the sum of its packets of Opus (RFC 7845), and of Vorbis a
bound from above (Vorbis I, 4.2.2: no packet makes more than half of the longer block)."""

import struct
from typing import Final

from tidegate.text.frames_heard import MOST_FRAMES, Heard
from tidegate.text.opus import opus_ms

# RFC 3533, 6: kind, serial number, lengths of segments.
_PAGE: Final = struct.Struct("<4sBBqIIIB")
_VORBIS: Final = struct.Struct("<7sIBI12xB")
_BEGINS: Final = 2
_CONTINUES: Final = 1
_MOST_STREAMS: Final = 64
# Of work, beside its packets.
_PAGE_STEPS: Final = 8


class _Stream:
    """One of a file's: `each_s` is a packet's length of Vorbis, None where each tells its own."""

    __slots__ = ("each_s", "open")

    def __init__(self, each_s: float | None) -> None:
        self.each_s = each_s
        self.open = False  # its last packet goes on in its next page


def heard(data: memoryview) -> Heard | None:
    """None where no stream is of Opus or Vorbis."""
    streams: dict[int, _Stream | None] = {}
    at = unread = steps = 0
    seconds, exact = 0.0, True
    while at + _PAGE.size <= len(data) and steps < MOST_FRAMES and len(streams) <= _MOST_STREAMS:
        magic, version, kind, _, serial, _, _, count = _PAGE.unpack_from(data, at)
        body = at + _PAGE.size + count
        sizes = bytes(data[at + _PAGE.size : body])
        if magic != b"OggS" or version or len(sizes) < count:
            break
        after = min(body + sum(sizes), len(data))  # the last page may be cut off
        if kind & _BEGINS:
            streams[serial] = _begun(data[body:after])
        if (stream := streams.get(serial)) is not None:
            if stream.open != bool(kind & _CONTINUES):
                break  # a page is missing, so what its packets are nobody knows
            exact = exact and stream.each_s is None
            seconds += _packets_s(data, body, sizes, stream)
        else:
            unread += after - at
        steps += count + _PAGE_STEPS
        at = after
    if not any(streams.values()):
        return None
    return Heard(seconds, unread + max(len(data) - at, 0), exact)


def _begun(page: memoryview) -> _Stream | None:
    if bytes(page[:8]) == b"OpusHead":
        return _Stream(None)
    if len(page) < _VORBIS.size:
        return None
    magic, version, _, hz, blocks = _VORBIS.unpack_from(page)
    if magic != b"\x01vorbis" or version or not hz:
        return None
    return _Stream((1 << (blocks >> 4)) / 2 / hz)


def _packets_s(data: memoryview, at: int, sizes: bytes, stream: _Stream) -> float:
    """Of the packets that begin in this page."""
    seconds, begins = 0.0, not stream.open
    for size in sizes:
        if begins and size:
            seconds += _packet_s(data, at, size, stream)
        at += size
        begins = size < 255
    stream.open = not begins
    return seconds


def _packet_s(data: memoryview, at: int, size: int, stream: _Stream) -> float:
    if at >= len(data):
        return 0.0
    first = data[at]
    if stream.each_s is not None:
        return 0.0 if first & 1 else stream.each_s  # odd are heads
    # Those of Opus, OpusHead and OpusTags, are packets that nobody may make, and so 0.
    second = data[at + 1] if size > 1 and at + 1 < len(data) else 0
    return opus_ms(first, second) / 1000
