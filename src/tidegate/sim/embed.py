"""Vectors of text by feature hashing: the same text the same vector, similar texts near ones."""

import base64
import math
import sys
import zlib
from array import array
from collections.abc import Sequence

DEFAULT_DIMENSIONS = 256
_PLACES_A_TOKEN = 4


def vector(tokens: Sequence[int], dimensions: int, seed: int) -> list[float]:
    """A unit vector of `dimensions` from token ids. No tokens give the first axis."""
    out = [0.0] * dimensions
    for token in tokens:
        bits = token ^ seed
        for _ in range(_PLACES_A_TOKEN):
            bits = zlib.crc32(bits.to_bytes(8, "little", signed=False))
            out[bits % dimensions] += 1.0 if bits & 0x8000_0000 else -1.0
    length = math.sqrt(sum(x * x for x in out))
    if length == 0.0:
        return [1.0, *out[1:]]
    return [x / length for x in out]


def as_base64(values: Sequence[float]) -> str:
    """Little-endian float32, as the API's `encoding_format: base64` has it."""
    packed = array("f", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode("ascii")
