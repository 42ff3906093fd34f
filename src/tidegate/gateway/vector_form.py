"""vector_form: a vector as it is kept, and as its caller asked for it.

OpenAI's wire has two forms of one vector: a list of numbers, or 32-bit floats in base64. The list
is kept as its provider wrote it, and rounded to 32 bits for whoever asks for base64. What came in
base64 is kept as its floats, and written out exactly for whoever asks for a list.
"""

import base64
import binascii
import math
import struct
from typing import Final

import msgspec

from tidegate.core.cache import MOST_VECTOR_BYTES
from tidegate.text.strict_json import UNREADABLE

_PACKED: Final = b"f"
# A list is long to count, so that its length stands before it.
_WRITTEN: Final = b"l"
_LENGTH: Final = struct.Struct("<cI")
_FLOAT_BYTES: Final = 4
_LIST, _TEXT = ord("["), ord('"')

_decode: Final = msgspec.json.Decoder(list[float]).decode
_decode_text: Final = msgspec.json.Decoder(str).decode
_encode: Final = msgspec.json.Encoder().encode


def to_keep(embedding: bytes) -> bytes | None:
    """What is kept of a row's `embedding`; None of what is none, or is good for nobody: with
    numbers that have no place in 32 bits, or with nothing but zeros."""
    try:
        if embedding[0] == _LIST:
            numbers = _decode(embedding)
            kept = _LENGTH.pack(_WRITTEN, len(numbers)) + embedding
        else:
            packed = base64.b64decode(_decode_text(embedding), validate=True)
            numbers = list(_unpacked(packed))
            kept = _PACKED + packed
        _packed(numbers)
    except (*UNREADABLE, binascii.Error, ValueError, struct.error, OverflowError):
        return None
    good = any(numbers) and math.isfinite(sum(numbers)) and len(kept) <= MOST_VECTOR_BYTES
    return kept if good else None


def length(kept: bytes) -> int | None:
    """Of so many numbers; None where it is no vector."""
    if kept[:1] == _WRITTEN and len(kept) > _LENGTH.size:
        found: int = _LENGTH.unpack_from(kept)[1]
        return found
    numbers, rest = divmod(len(kept) - 1, _FLOAT_BYTES)
    return numbers if kept[:1] == _PACKED and not rest and numbers else None


def length_of(embedding: bytes) -> int | None:
    """The same of a row's `embedding`, of which nobody has seen whether it is good."""
    if embedding[:1] == b"[":
        return embedding.count(b",") + 1
    chars, rest = divmod(len(embedding) - 2, 4)
    numbers, beyond = divmod(chars * 3 - embedding[-3:].count(b"="), _FLOAT_BYTES)
    return None if embedding[:1] != b'"' or rest or beyond else numbers


def given(kept: bytes, *, packed: bool) -> bytes:
    """As JSON, in base64 or as a list."""
    kept = turned(kept, packed=packed)
    return _quoted(kept[1:]) if packed else kept[_LENGTH.size :]


def turned(kept: bytes, *, packed: bool) -> bytes:
    """As it is kept where it came in the form that is asked for."""
    if (kept[:1] == _PACKED) == packed:
        return kept
    if packed:
        return _PACKED + _packed(_decode(kept[_LENGTH.size :]))
    numbers = _unpacked(kept[1:])
    return _LENGTH.pack(_WRITTEN, len(numbers)) + _encode(numbers)


def is_packed(embedding: bytes) -> bool:
    """Whether a row has it in base64."""
    return embedding[0] == _TEXT


def _quoted(floats: bytes) -> bytes:
    return b'"' + base64.b64encode(floats) + b'"'


def _packed(numbers: list[float]) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


def _unpacked(floats: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(floats) // _FLOAT_BYTES}f", floats)
