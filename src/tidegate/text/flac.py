"""How long FLAC is: the sum of all that begins as a frame does, with its check (RFC 9639, 9.1).

A frame tells not how many bytes it has, so what looks like one within another counts too.
"""

import re
from itertools import islice
from typing import Final

from tidegate.text.frames_heard import Heard

# Sync and blocking; sizes of block and rate; channels and bits, of which the last is 0.
_HEADS: Final = re.compile(rb"\xff(?=[\xf8\xf9][\x10-\xff][\x00-\xaf])")
_HZ: Final = (
    *(0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000),
    *(32_000, 44_100, 48_000, 96_000),
)
_MOST_HEAD_BYTES: Final = 16
# Each is several times the work of another codec's, and has a twelfth of a second or more.
_MOST_FRAMES: Final = 16_384
_INFO_AT: Final = 8
_INFO_BYTES: Final = 34


def _table() -> bytes:
    table = bytearray()
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = rest << 1 ^ (0x107 if rest & 0x80 else 0)
        table.append(rest)
    return bytes(table)


_CRC8: Final = _table()


def heard(data: memoryview) -> Heard | None:
    """None where the head that all begin with is not there."""
    if len(data) < _INFO_AT + _INFO_BYTES or data[4] & 0x7F:
        return None
    hz = int.from_bytes(data[_INFO_AT + 10 : _INFO_AT + 13]) >> 4
    if not hz:
        return None
    seconds, last = 0.0, 0
    found = list(islice(_HEADS.finditer(data, _INFO_AT + _INFO_BYTES), _MOST_FRAMES + 1))
    for match in found[:_MOST_FRAMES]:
        last = match.start()
        seconds += _frame_s(bytes(data[last : last + _MOST_HEAD_BYTES]), hz)
    return Heard(seconds, len(data) - last if len(found) > _MOST_FRAMES else 0)


def _frame_s(head: bytes, hz: int) -> float:
    """0 where it is no frame's."""
    block, rate = head[2] >> 4, head[2] & 15
    number = _number_bytes(head[4]) if len(head) > 4 else 0
    at = 4 + number
    more = (1 if block == 6 else 2 if block == 7 else 0, 1 if rate == 12 else 2 if rate > 12 else 0)
    end = at + sum(more)
    if not number or rate == 15 or len(head) <= end or _crc8(head[:end]) != head[end]:
        return 0.0
    told = int.from_bytes(head[at : at + more[0]])
    own = int.from_bytes(head[at + more[0] : end])
    if rate < 12:
        own = _HZ[rate]
    elif rate != 13:
        own *= 1000 if rate == 12 else 10
    # Of two rates the slower: its decoder may go by either.
    return _samples(block, told) / min(own or hz, hz)


def _samples(block: int, told: int) -> int:
    if block in (6, 7):
        return told + 1
    return 192 if block == 1 else 576 << (block - 2) if block < 6 else 256 << (block - 8)


def _number_bytes(first: int) -> int:
    """How long the number of a frame is that begins so; 0 where none does."""
    if first < 0x80:
        return 1
    ones = 8 - (first ^ 0xFF).bit_length()
    return ones if 2 <= ones <= 7 else 0


def _crc8(head: bytes) -> int:
    found = 0
    for byte in head:
        found = _CRC8[found ^ byte]
    return found
