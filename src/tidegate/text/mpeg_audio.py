"""How long MPEG audio is (MP3 and its elder layers, AAC as ADTS): the sum of its frames.

ISO/IEC 11172-3 and 13818-3, 2.4.1.3; ADTS: ISO/IEC 14496-3, 1.A.3. Tags: ID3v2.4, 3.1.
"""

import struct
from collections.abc import Iterator
from typing import Final

from tidegate.text.frames_heard import MOST_FRAMES, Heard

_HEAD: Final = struct.Struct(">I")
_SYNC: Final = 0xFFE00000
# Of a head, all that tells how long its frame is; and what no frame of one stream has otherwise.
_MASK: Final = 0xFFFEFE00
_KIND: Final = 0xFFFE0C00
_ADTS_MASK: Final = 0xFFF6FC00
# How far a frame is looked for among what is none, ahead of the first and of another.
_MOST_AHEAD_BYTES: Final = 65_536
_MOST_BETWEEN_BYTES: Final = 4_096
_MOST_LOOKS: Final = 4_096
_MOST_FOLLOWING: Final = 5
_HZ: Final = (44_100, 48_000, 32_000)
# By layer (3 is I), of MPEG-1 and of the later ones.
_KBPS: Final = {
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_AAC_HZ: Final = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050),
    *(16_000, 12_000, 11_025, 8_000, 7_350),
)
# How other kinds of file begin, beside those that begin with a word: ASF, MPEG's own.
_OTHERS: Final = (b"\x30\x26\xb2\x75", b"\x00\x00\x01\xba", b"\x47\x40")
_WORD_BYTES: Final = 4
_ID3_BYTES: Final = 10
_MOST_TAGS: Final = 64
_ID3V1_BYTES: Final = 128
_ADTS_BYTES: Final = 7


def aac_hz(index: int) -> int | None:
    return _AAC_HZ[index] if index < len(_AAC_HZ) else None


def heard(data: memoryview) -> Heard | None:
    """None where there are no frames one behind the other, to the end or for a while; or a file of
    another kind begins, whose decoder may hear more in the same bytes."""
    at, end, looks = _behind_tags(data), len(data), iter(range(_MOST_LOOKS))
    if bytes(data[end - _ID3V1_BYTES : end - _ID3V1_BYTES + 3]) == b"TAG":
        end -= _ID3V1_BYTES
    first = _next(data[:end], at, None, looks)
    if first is None or (first > at and _is_named(bytes(data[at : at + 2 * _WORD_BYTES]))):
        return None
    skipped, at = first - at, first
    kind = _HEAD.unpack_from(data, at)[0]
    if _is_adts(kind):
        return _adts(data[:end], at, skipped)
    return _layers(data[:end], at, skipped, looks)


def _layers(data: memoryview, at: int, skipped: int, looks: Iterator[int]) -> Heard:
    end = len(data)
    kind = _HEAD.unpack_from(data, at)[0] & _KIND
    known: dict[int, tuple[int, float]] = {}
    seconds = 0.0
    for _ in range(MOST_FRAMES):
        if at + _HEAD.size > end:
            break
        head = _HEAD.unpack_from(data, at)[0] & _MASK
        found = known.get(head)
        if found is None:
            frame = _frame(head) if head & _KIND == kind else None
            if frame is None:
                after = _next(data, at, kind, looks)
                if after is None:
                    break
                skipped, at = skipped + after - at, after
                continue
            found = known[head] = frame
        seconds += found[1]
        if at + found[0] > end:
            break  # it may not be as long as it says
        at += found[0]
    return Heard(seconds, skipped + max(end - at, 0))


def _adts(data: memoryview, at: int, skipped: int) -> Heard:
    end = len(data)
    kind = _HEAD.unpack_from(data, at)[0] & _ADTS_MASK
    each_s = 1024 / _AAC_HZ[(kind >> 10) & 15]
    blocks = 0
    for _ in range(MOST_FRAMES):
        if at + _ADTS_BYTES > end:
            break
        size = _adts_bytes(data, at) if _HEAD.unpack_from(data, at)[0] & _ADTS_MASK == kind else 0
        if size < _ADTS_BYTES:
            break
        blocks += 1 + (data[at + 6] & 3)
        if at + size > end:
            break  # it may not be as long as it says
        at += size
    return Heard(blocks * each_s, skipped + max(end - at, 0))


def _is_named(start: bytes) -> bool:
    """Whether a word stands where files have their names, such as `#!AMR` or, second, `mdat`."""
    words = start[:_WORD_BYTES], start[_WORD_BYTES:]
    return start.startswith(_OTHERS) or any(
        len(word) == _WORD_BYTES and all(0x20 <= byte < 0x7F for byte in word) for word in words
    )


def _behind_tags(data: memoryview) -> int:
    at = 0
    for _ in range(_MOST_TAGS):
        if bytes(data[at : at + 3]) != b"ID3" or at + _ID3_BYTES > len(data):
            break
        size = 0
        for byte in data[at + 6 : at + _ID3_BYTES]:
            size = size << 7 | byte & 0x7F
        at += _ID3_BYTES + size + (_ID3_BYTES if data[at + 5] & 0x10 else 0)
    return min(at, len(data))


def _next(data: memoryview, at: int, kind: int | None, looks: Iterator[int]) -> int | None:
    """Where the next frame begins that others follow; None where there is none within reach."""
    reach = _MOST_AHEAD_BYTES if kind is None else _MOST_BETWEEN_BYTES
    window = bytes(data[at : at + reach])
    found = window.find(b"\xff")
    while 0 <= found <= len(data) - at - _ADTS_BYTES and next(looks, None) is not None:
        head = _HEAD.unpack_from(data, at + found)[0]
        if kind is None or head & _KIND == kind:
            size = _size(data, at + found, head)
            if size and _is_followed(data, at + found + size, head):
                return at + found
        found = window.find(b"\xff", found + 1)
    return None


def _size(data: memoryview, at: int, head: int) -> int:
    """Bytes of the frame here; 0 where there is none."""
    if _is_adts(head):
        size = _adts_bytes(data, at)
        return size if aac_hz((head >> 10) & 15) is not None and size >= _ADTS_BYTES else 0
    frame = _frame(head)
    return 0 if frame is None else frame[0]


def _is_followed(data: memoryview, at: int, head: int) -> bool:
    """By some more of its kind, or the end: among other bytes many look like one."""
    mask = _ADTS_MASK if _is_adts(head) else _KIND
    for _ in range(_MOST_FOLLOWING):
        if at + _ADTS_BYTES > len(data):
            return at >= len(data)
        after = _HEAD.unpack_from(data, at)[0]
        size = _size(data, at, after) if after & mask == head & mask else 0
        if not size:
            return False
        at += size
    return True


def _is_adts(head: int) -> bool:
    return head & 0xFFF60000 == 0xFFF00000


def _adts_bytes(data: memoryview, at: int) -> int:
    return (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5


def _frame(head: int) -> tuple[int, float] | None:
    """Bytes and seconds of a frame of the layers; None where the head is none, or says not how
    long."""
    version, layer = (head >> 19) & 3, (head >> 17) & 3
    rate, hz_at, padding = (head >> 12) & 15, (head >> 10) & 3, (head >> 9) & 1
    if head & _SYNC != _SYNC or version == 1 or not layer or rate in (0, 15) or hz_at == 3:
        return None
    is_first = version == 3
    hz = _HZ[hz_at] >> (0 if is_first else 1 if version == 2 else 2)
    bps = _KBPS[is_first, layer][rate - 1] * 1000
    if layer == 3:
        return (12 * bps // hz + padding) * 4, 384 / hz
    samples = 576 if layer == 1 and not is_first else 1152
    return samples // 8 * bps // hz + padding, samples / hz
