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
_MOST_EDITS: Final = 8
_VALUES: Final = 1024
# Kinds of AAC whose samples have so many values: Main, LC, SSR, LTP; SBR and PS, by their core.
_PLAIN: Final = frozenset({1, 2, 3, 4, 5, 29})
_EXPLICIT_HZ: Final = 15
# Where in a sample's description further boxes begin, and in a `stsd` its descriptions.
_ENTRY_BYTES: Final = 28
_FULL_BYTES: Final = 8
# Of what is neither sound nor pictures, such as chapters and times: what it holds.
_NO_SOUND: Final = frozenset(
    (b"text", b"tx3g", b"tmcd", b"mebx", b"mett", b"metx", b"c608", b"c708", b"stpp", b"wvtt")
)
# In `esds`: descriptors one in the other, each behind its length; and the codecs that are AAC.
_STREAM, _DECODER, _SPECIFIC = 3, 4, 5
_STREAM_BYTES: Final = 3
_DECODER_BYTES: Final = 13
_AAC: Final = frozenset({0x40, 0x66, 0x67, 0x68})
_MOST_ESDS_BYTES: Final = 256


def heard(data: memoryview) -> Heard | None:
    """None where no track of audio is AAC, or several are and fragments do not say whose."""
    budget = iter(range(_MOST_BOXES))
    seconds, rates, samples, others = 0.0, list[int](), 0, 0
    for name, box in _boxes(data, budget):
        if name == b"moov":
            for track in _all(box, (b"trak",), budget):
                hz, count = _track(track, budget)
                if hz is None:
                    return None
                rates += [hz] if hz else []
                others += not hz
                seconds += count * _VALUES / hz if hz else 0.0
        elif name == b"moof":
            for run in _all(box, (b"traf", b"trun"), budget):
                samples += _COUNT.unpack_from(run, 4)[0] if len(run) >= _FULL_BYTES else 0
    if not rates or (samples and len(rates) > 1) or next(budget, None) is None:
        return None
    # In fragments those of other tracks count too.
    return Heard(seconds + samples * _VALUES / rates[0], 0, not (samples and others))


def _track(track: memoryview, budget: Iterator[int]) -> tuple[int | None, int]:
    """(rate, samples); a rate of 0 where it is of no audio, None where it is of another codec, or
    some decoder may take it for what others do not."""
    kinds = list(_all(track, (b"mdia", b"hdlr"), budget))
    kind = bytes(kinds[0][8:12]) if len(kinds) == 1 else b""
    table = (b"mdia", b"minf", b"stbl")
    described = [
        one
        for entries in _all(track, (*table, b"stsd"), budget)
        for one in _boxes(entries[_FULL_BYTES:], budget)
    ]
    if kind != b"soun":
        silent = kind == b"vide" or all(name in _NO_SOUND for name, _ in described)
        return (0 if kind and silent and b"soun" not in bytes(track) else None), 0
    if bytes(track).count(b"elst") > 1 or any(
        _plays_again(it) for it in _all(track, (b"edts", b"elst"), budget)
    ):
        return None, 0
    count = 0
    for name in (b"stsz", b"stz2"):
        for sizes in _all(track, (*table, name), budget):
            count += _COUNT.unpack_from(sizes, 8)[0] if len(sizes) >= 12 else 0
    if len(described) == 1 and described[0][0] == b"mp4a":
        for told in _all(described[0][1][_ENTRY_BYTES:], (b"esds",), budget):
            return _hz(told), count
    return None, count


def _plays_again(edits: memoryview) -> bool:
    """Whether more than one stretch of the samples is played: it may be the same. -1 is silence."""
    told, size = bytes(edits[_FULL_BYTES:]), 8 if bytes(edits[:1]) == b"\1" else 4
    each = 2 * size + 4
    starts = (told[at + size : at + 2 * size] for at in range(0, len(told), each))
    return len(told) > _MOST_EDITS * each or sum(it != b"\xff" * size for it in starts) > 1


def _hz(esds: memoryview) -> int | None:
    """The rate of the core, which has 1024 values a sample whatever is built on it. None where it
    is no AAC."""
    stream = _descriptor(bytes(esds[4 : 4 + _MOST_ESDS_BYTES]), _STREAM)
    if len(stream) < _STREAM_BYTES or stream[2] & 0xE0:  # it depends on another, or has an address
        return None
    decoder = _descriptor(stream[_STREAM_BYTES:], _DECODER)
    if not decoder or decoder[0] not in _AAC:
        return None
    bits = _descriptor(decoder[_DECODER_BYTES:], _SPECIFIC)
    return _of_bits(int.from_bytes(bits[:5].ljust(5, b"\0"))) if len(bits) > 1 else None


def _descriptor(told: bytes, kind: int) -> bytes:
    """What the descriptor of this kind that begins here holds; nothing where another does. Its
    length is of up to four bytes."""
    if told[:1] != bytes([kind]):
        return b""
    size, at = 0, 1
    for byte in told[1:5]:
        size, at = size << 7 | byte & 0x7F, at + 1
        if not byte & 0x80:
            break
    return told[at : at + size]


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
