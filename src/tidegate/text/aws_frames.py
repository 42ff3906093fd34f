"""AWS's binary frames (`application/vnd.amazon.eventstream`) out of any slicing of their bytes.

A frame is a prelude (its own length, that of its headers, a CRC32 of these two), headers, a payload
and a CRC32 of all before it. Both checksums are checked before a byte within is believed. What is
no frame ends the reading: `problem` says why, and nothing after it is read.
"""

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple
from zlib import crc32

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024
MAX_HEADERS_BYTES: Final = 128 * 1024
# Headers repeat from frame to frame: so many different ones are kept read.
MAX_KNOWN: Final = 32
MAX_KNOWN_BYTES: Final = 256

Value = bool | int | bytes | str

_PRELUDE: Final = struct.Struct("!III")
_CHECKSUM: Final = struct.Struct("!I")
_LENGTH: Final = struct.Struct("!H")
_LEAST_BYTES: Final = _PRELUDE.size + _CHECKSUM.size
# The kinds of header whose size is fixed; 0 and 1 are true and false, 6 and 7 have a length.
_NUMBERS: Final = {
    2: struct.Struct("!b"),
    3: struct.Struct("!h"),
    4: struct.Struct("!i"),
    5: struct.Struct("!q"),
    8: struct.Struct("!q"),
}
_BYTES, _TEXT, _UUID = 6, 7, 9
_UUID_BYTES: Final = 16


class Frame(NamedTuple):
    """One message. `headers` is shared between frames and never changed."""

    headers: Mapping[str, Value]
    payload: bytes


class FrameSplitter:
    """Cuts a stream of bytes into frames. Never raises; `problem` is None while all is well."""

    __slots__ = ("_known", "_rest", "_wanted_bytes", "problem")

    def __init__(self) -> None:
        self._known: dict[bytes, Mapping[str, Value]] = {}
        self._rest = bytearray()
        self._wanted_bytes = _PRELUDE.size
        self.problem: str | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """The frames completed by `data`, up to the first that is none."""
        if self.problem is not None:
            return []
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted_bytes:
                return []
            data = bytes(self._rest)
        frames: list[Frame] = []
        at = 0
        while (end := self._end(data, at)) is not None:
            frame = self._frame(data, at, end)
            if frame is None:
                break
            frames.append(frame)
            at = end
        self._rest = bytearray() if self.problem is not None else bytearray(data[at:])
        return frames

    def _end(self, data: bytes, at: int) -> int | None:
        """Where the frame at `at` ends; None where it is not all there, or is no frame."""
        there_bytes = len(data) - at
        if there_bytes < _PRELUDE.size:
            self._wanted_bytes = _PRELUDE.size
            return None
        total_bytes, headers_bytes, checksum = _PRELUDE.unpack_from(data, at)
        if crc32(data[at : at + 8]) != checksum:
            self.problem = "a frame's prelude has a wrong checksum"
        elif total_bytes > MAX_FRAME_BYTES or headers_bytes > MAX_HEADERS_BYTES:
            self.problem = "a frame is too long"
        elif total_bytes < _LEAST_BYTES + headers_bytes:
            self.problem = "a frame is shorter than its parts"
        elif there_bytes < total_bytes:
            self._wanted_bytes = total_bytes
        else:
            end: int = at + total_bytes
            return end
        return None

    def _frame(self, data: bytes, at: int, end: int) -> Frame | None:
        """The whole frame from `at` to `end`; None where it is none."""
        body_end = end - _CHECKSUM.size
        if crc32(data[at:body_end]) != _CHECKSUM.unpack_from(data, body_end)[0]:
            self.problem = "a frame has a wrong checksum"
            return None
        headers_at = at + _PRELUDE.size
        payload_at = headers_at + _PRELUDE.unpack_from(data, at)[1]
        raw = data[headers_at:payload_at]
        headers = self._known.get(raw)
        if headers is None:
            headers = read_headers(raw)
            if headers is None:
                self.problem = "a frame's headers cannot be read"
                return None
            if len(raw) <= MAX_KNOWN_BYTES and len(self._known) < MAX_KNOWN:
                self._known[raw] = headers
        return Frame(headers, data[payload_at:body_end])


def read_headers(raw: bytes) -> dict[str, Value] | None:
    """A frame's headers by name; None where they are cut off, unknown, or one is there twice."""
    headers: dict[str, Value] = {}
    at = 0
    try:
        while at < len(raw):
            name_end = at + 1 + raw[at]
            name = raw[at + 1 : name_end].decode()
            value, at = _value(raw, name_end)
            if not name or name in headers or at > len(raw):
                return None
            headers[name] = value
    except (IndexError, struct.error, UnicodeDecodeError, KeyError):
        return None
    return headers


def _value(raw: bytes, at: int) -> tuple[Value, int]:
    """The value whose kind stands at `at`, and where it ends. KeyError for an unknown kind."""
    kind = raw[at]
    at += 1
    if kind in (0, 1):
        return kind == 0, at
    if kind in (_BYTES, _TEXT):
        start = at + _LENGTH.size
        end = start + _LENGTH.unpack_from(raw, at)[0]
        value = raw[start:end]
        return (value if kind == _BYTES else value.decode()), end
    if kind == _UUID:
        return raw[at : at + _UUID_BYTES], at + _UUID_BYTES
    number = _NUMBERS[kind]
    found: int = number.unpack_from(raw, at)[0]
    return found, at + number.size
