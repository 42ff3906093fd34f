"""An answer that is kept to be given again, and the seam behind which the stores of them are.

What is kept is what the provider sent, as it came: whoever gets it reads it by the same code as a
live answer, in whichever wire and form he asked for. Outside a process it is checked by a CRC-32.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from tidegate.core.cache_labels import Labels
from tidegate.core.receipt import Validity

_CRC: Final = struct.Struct("<I")
# What keeping one costs beside its body.
ENTRY_BYTES: Final = 1024


class KeptAnswer(Struct, frozen=True, omit_defaults=True, array_like=True):
    """`body` is what `target` sent, as a stream or whole. `made_at_s` is wall-clock seconds,
    `fresh_s` how long from then it is fresh; `took_s` and `cost_nanousd` are what the request whose
    answer it is took (0: nobody knows) and cost. It says no more than one `release` would. Nothing
    without `labels` is invalidated but with everything."""

    receipt_id: str
    made_at_s: float
    fresh_s: float
    target: str
    streamed: bool
    body: bytes
    finish_reason: str | None = None
    model_served: str | None = None
    validity: Validity | None = None
    dropped: tuple[str, ...] = ()
    cost_nanousd: int | None = None
    took_s: float = 0.0
    labels: Labels = Labels()


class Nearness(Struct, frozen=True):
    """How an answer to another wording of the question was found: the cosine of the two, its key,
    that other wording, and the partition of which both questions are."""

    partition: bytes
    key: bytes
    score: float
    question: str = ""


class Found(Struct, eq=False):
    """A kept answer, so many seconds old. `forms` are the bytes that callers were sent of it, by
    what they had asked for; a store in memory keeps them with it. `near` None: the same was
    asked."""

    answer: KeptAnswer
    age_s: float
    forms: dict[tuple[bool, bool], bytes]
    near: Nearness | None = None


class Answers(Protocol):
    """Where answers are kept. A key that was never put is never found; nothing here raises, what
    cannot be had is a miss."""

    async def get(self, key: bytes) -> Found | None: ...

    async def get_many(self, keys: Sequence[bytes]) -> list[Found | None]:
        """Of each key, in their order."""

    def put(self, key: bytes, answer: KeptAnswer, keep_s: float) -> None: ...

    async def put_many(self, entries: Sequence[tuple[bytes, KeptAnswer]], keep_s: float) -> None:
        """Back when more may be put."""

    async def remove(self, key: bytes) -> bool | None:
        """Whether something was there; None where that cannot be said, and it may be still."""

    def grew(self, key: bytes, by_bytes: int) -> None:
        """What is kept of a form besides."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(KeptAnswer).decode


def packed(answer: KeptAnswer, key: bytes) -> bytes:
    """What is kept of it under that key, where others might write."""
    payload = _encode(answer)
    return _CRC.pack(zlib.crc32(payload, zlib.crc32(key))) + payload


def unpacked(data: bytes, key: bytes) -> KeptAnswer | None:
    """None where it is damaged, was put under another key, or was written by another version."""
    if len(data) < _CRC.size:
        return None
    if _CRC.unpack_from(data)[0] != zlib.crc32(data[_CRC.size :], zlib.crc32(key)):
        return None
    try:
        return _decode(data[_CRC.size :])
    except msgspec.DecodeError:
        return None
