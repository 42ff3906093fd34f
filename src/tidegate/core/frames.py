"""Frames, of which the segments of journals and spools are made: a length and a CRC-32 (little
endian, 32 bits each), then so many bytes."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

_HEADER: Final = struct.Struct("<II")
FRAME_HEADER_BYTES: Final = _HEADER.size
MAX_FRAME_BYTES: Final = 1024 * 1024


def framed(payload: bytes) -> bytes:
    """A frame of at most MAX_FRAME_BYTES of payload."""
    return _HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def frames(data: bytes, offset: int = 0) -> Iterator[tuple[int, bytes | None]]:
    """Whole frames of `data` from `offset`: (offset after the frame, payload).

    A payload of None says that the bytes from the last offset on are damaged: the reader must not
    go on in this segment. An unfinished frame at the end yields nothing: it may still grow.
    """
    end = len(data)
    while offset + FRAME_HEADER_BYTES <= end:
        length, checksum = _HEADER.unpack_from(data, offset)
        start = offset + FRAME_HEADER_BYTES
        if length > MAX_FRAME_BYTES:
            yield offset, None
            return
        if start + length > end:
            return
        payload = data[start : start + length]
        if zlib.crc32(payload) != checksum:
            yield offset, None
            return
        offset = start + length
        yield offset, payload
