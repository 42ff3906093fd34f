"""How long the AAC of an MP4 file (M4A) is: so many samples of 1024 values each, whole or in
fragments. ISO/IEC 14496-12, 8.3 to 8.8; how AAC says its rate: ISO/IEC 14496-3, 1.6.2.1.
"""

import struct
from collections.abc import Iterator
from typing import Final

from tidegate.text.frames_heard import Heard
from tidegate.text.mpeg_audio import aac_hz

_BOX: Final = struct.Struct(">I4s")
_COUNT: Final = struct.Struct(">I")
_MOST_BOXES: Final = 16_384
_VALUES: Final = 1024
# Kinds of AAC whose samples have so many values: Main, LC, SSR, LTP; SBR and PS, by their core.
_PLAIN: Final = frozenset({1, 2, 3, 4, 5, 29})
_EXPLICIT_HZ: Final = 15
# Where in a sample's description further boxes begin, and in a `stsd` its descriptions.
_ENTRY_BYTES: Final = 28
_FULL_BYTES: Final = 8
# In `esds`: what a decoder needs to know, behind a length of up to four bytes.
_SPECIFIC: Final = 5
_MOST_ESDS_BYTES: Final = 256


def heard(data: memoryview) -> Heard | None:
    """None where no track of audio is AAC, or several are and fragments do not say whose."""
    budget = iter(range(_MOST_BOXES))
    seconds, rates, samples = 0.0, list[int](), 0
    for name, box in _boxes(data, budget):
        if name == b"moov":
            for track in _all(box, (b"trak",), budget):
                hz, count = _track(track, budget)
                if hz is None:
                    return None
                rates += [hz] if hz else []
                seconds += count * _VALUES / hz if hz else 0.0
        elif name == b"moof":
            for run in _all(box, (b"traf", b"trun"), budget):
                samples += _COUNT.unpack_from(run, 4)[0] if len(run) >= _FULL_BYTES else 0
    if not rates or (samples and len(rates) > 1) or next(budget, None) is None:
        return None
    return Heard(seconds + samples * _VALUES / rates[0], 0)


def _track(track: memoryview, budget: Iterator[int]) -> tuple[int | None, int]:
    """(rate, samples); a rate of 0 where it is of no audio, None where it is of another codec."""
    kinds = list(_all(track, (b"mdia", b"hdlr"), budget))
    if not kinds or bytes(kinds[0][8:12]) != b"soun":
        return 0, 0
    table = (b"mdia", b"minf", b"stbl")
    count = 0
    for name in (b"stsz", b"stz2"):
        for sizes in _all(track, (*table, name), budget):
            count += _COUNT.unpack_from(sizes, 8)[0] if len(sizes) >= 12 else 0
    for entries in _all(track, (*table, b"stsd"), budget):
        described = list(_boxes(entries[_FULL_BYTES:], budget))
        if len(described) == 1 and described[0][0] == b"mp4a":
            for told in _all(described[0][1][_ENTRY_BYTES:], (b"esds",), budget):
                return _hz(told), count
    return None, count


def _hz(esds: memoryview) -> int | None:
    """The rate of the core, which has 1024 values a sample whatever is built on it."""
    told = bytes(esds[4 : 4 + _MOST_ESDS_BYTES])
    at = told.find(_SPECIFIC)
    while 0 <= at < len(told):
        begins = at + 1
        while begins < min(at + 4, len(told)) and told[begins] & 0x80:
            begins += 1
        size, bits = told[begins : begins + 1], told[begins + 1 : begins + 6]
        if size and 2 <= size[0] <= len(told) - begins - 1 and len(bits) >= 2:
            return _of_bits(int.from_bytes(bits.ljust(5, b"\0")))
        at = told.find(_SPECIFIC, at + 1)
    return None


def _of_bits(bits: int) -> int | None:
    """Of 40: five are the kind, four the rate by its number, 24 itself where that is 15."""
    kind, index = bits >> 35, bits >> 31 & 15
    if kind not in _PLAIN:
        return None
    if index == _EXPLICIT_HZ:
        return bits >> 7 & 0xFFFFFF or None
    return aac_hz(index)


def _all(data: memoryview, path: tuple[bytes, ...], budget: Iterator[int]) -> Iterator[memoryview]:
    """The contents of all boxes at this path."""
    for name, box in _boxes(data, budget):
        if name == path[0]:
            if len(path) == 1:
                yield box
            else:
                yield from _all(box, path[1:], budget)


def _boxes(data: memoryview, budget: Iterator[int]) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + _BOX.size <= len(data) and next(budget, None) is not None:
        size, name = _BOX.unpack_from(data, at)
        begins = at + _BOX.size
        if size == 1:
            size = int.from_bytes(data[begins : begins + 8])
            begins += 8
        elif size == 0:
            size = len(data) - at
        if at + size < begins:
            return
        yield name, data[begins : at + size]
        at += size
