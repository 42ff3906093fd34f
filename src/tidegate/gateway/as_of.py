"""as_of: from when on what an application knows is, so that what it puts is not stale.

It says what had been invalidated when it was made: by this machine's clock since its start, which
all of its gateway processes share and nobody sets, and by the stream of the shared store.
"""

import base64
import binascii
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.core.cache_labels import Mark
from tidegate.core.outcome import Refusal
from tidegate.gateway.answer_cache import AnswerCache

_encode: Final = msgspec.msgpack.Encoder().encode
MOST_CHARS: Final = 256


class AsOf(Struct, frozen=True, array_like=True):
    """`machine` names a start of a machine, `at_s` is its monotonic seconds, `id` the newest of the
    stream that had been read."""

    machine: str
    at_s: float
    id: str

    @classmethod
    def now(cls, at_s: float, cache: AnswerCache) -> "AsOf":
        return cls(cache.machine, at_s, cache.mark(at_s).id)

    @classmethod
    def read(cls, said: str) -> "AsOf":
        """Refusal where it is none."""
        try:
            if len(said) > MOST_CHARS:
                raise ValueError(said)
            data = base64.urlsafe_b64decode(said.encode("ascii"))
            return _decode(data)
        except (ValueError, binascii.Error, msgspec.DecodeError):
            message = "`as_of` must be what `get` has said"
            raise Refusal("invalid_parameter", message, param="as_of") from None

    def written(self) -> str:
        return base64.urlsafe_b64encode(_encode(self)).decode()

    def mark(self, now_s: float, cache: AnswerCache, *, shared: bool) -> Mark | None:
        """What had been invalidated then, as this process counts it; None where it cannot tell: of
        another machine, or of before its start."""
        number = 0
        if self.machine == cache.machine and cache.since_s <= self.at_s <= now_s:
            number = cache.mark(self.at_s).number
        elif not shared:
            return None
        return Mark(number, cache.id_at_most(self.id))


_decode: Final = msgspec.msgpack.Decoder(AsOf).decode
