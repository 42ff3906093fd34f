"""A kept question with its vector as it lies in a store that others might write.

A CRC-32 over all of it says whether it is what was put, under that key and in that partition.
"""

import struct
import zlib
from typing import Final

from tidegate.core.encoding import Vector

_CRC: Final = struct.Struct("<I")


def checksum(partition: bytes, key: bytes, vector: Vector, question: str) -> bytes:
    """Four bytes; what separates the parts is their length."""
    value = 0
    for part in (partition, key, vector, question.encode("utf-8", "surrogatepass")):
        value = zlib.crc32(part, zlib.crc32(len(part).to_bytes(4, "little"), value))
    return _CRC.pack(value)
