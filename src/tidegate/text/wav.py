"""How long the audio of a WAV file is, where that is plain samples: its decoder reads the same."""

import struct
from typing import Final

_SAMPLES: Final = frozenset({1, 3})  # integers, floats
_FORMAT: Final = struct.Struct("<HHIIHH")
# A longer head says further down, in a GUID, of what kind the samples are.
_LONGER: Final = 0xFFFE
_LONG_FORMAT_BYTES: Final = 40
_SUBKIND_AT: Final = 24
_SUBKIND: Final = struct.Struct("<H14x")
_MOST_CHUNKS: Final = 32
# Denser audio is nobody's speech: its head may be a lie.
_MOST_CHANNELS: Final = 8
_HZ: Final = range(4_000, 192_001)


def wav_s(data: memoryview) -> float | None:
    """Seconds; None where it is no WAV, or one whose samples are encoded, or contradicts itself.

    A length that is longer than the file, as of what was written to a pipe, is the file's.
    """
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"WAVE":
        return None
    at, bytes_per_s = 12, None
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return None
        name, size = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt ":
            if bytes_per_s is not None:
                return None  # which of two is read is its decoder's to choose
            bytes_per_s = _bytes_per_s(data[at : at + min(size, _LONG_FORMAT_BYTES)])
            if bytes_per_s is None:
                return None
        elif name == b"data":
            # What follows the samples is counted as if it were some: a bound from above.
            return None if bytes_per_s is None else (len(data) - at) / bytes_per_s
        at += size + (size & 1)
    return None


def _bytes_per_s(told: memoryview) -> int | None:
    if len(told) < _FORMAT.size:
        return None
    kind, channels, hz, bytes_per_s, block, bits = _FORMAT.unpack(told[: _FORMAT.size])
    if kind == _LONGER:
        kind = _SUBKIND.unpack(told[_SUBKIND_AT:])[0] if len(told) == _LONG_FORMAT_BYTES else 0
    plain = kind in _SAMPLES and bits in (8, 16, 24, 32) and 0 < channels <= _MOST_CHANNELS
    if not plain or hz not in _HZ or block != channels * bits // 8 or bytes_per_s != hz * block:
        return None
    return int(bytes_per_s)
