"""MiniMax's errors: a number in `base_resp`, with status 200."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.core.outcome import Failure, FailureKind
from tidegate.providers._openai_chunk import Chunk
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.text.sse import data_of
from tidegate.text.strict_json import UNREADABLE

_RATE: Final = ("rate_limited", "upstream_rate_limited", "the provider limits our rate")
_AUTH: Final = ("unavailable", "upstream_auth", "the provider refused our credential")
_SAFETY: Final = (
    "refused_by_safety",
    "rejected_by_provider",
    "the provider's safety rules ended its answer",
)
_NUMBERS: Final[Mapping[int, tuple[FailureKind, str, str]]] = {
    1001: ("timeout", "upstream_timeout", "the provider timed out"),
    1002: _RATE,
    1004: _AUTH,
    1008: _AUTH,
    1026: _SAFETY,
    1027: _SAFETY,
    1039: _RATE,
    1041: _RATE,
    2013: ("rejected", "rejected_by_provider", "the provider rejected the request's parameters"),
    2045: _RATE,
    2049: _AUTH,
    2056: _RATE,
}
_OTHER: Final = ("unavailable", "upstream_error", "the provider reported an error in its answer")


class _Base(Struct):
    status_code: int = 0


class _Told(Struct):
    base_resp: _Base | None = None


_decode = msgspec.json.Decoder(_Told).decode


def failure_in(body: bytes) -> Failure | None:
    """What a body or a chunk says went wrong; None where it says nothing."""
    if b'"base_resp"' not in body:
        return None
    try:
        told = _decode(body).base_resp
    except UNREADABLE:
        return None
    if told is None or told.status_code == 0:
        return None
    kind, code, message = _NUMBERS.get(told.status_code, _OTHER)
    return Failure(kind, code, message)


class MiniMaxReader(OpenAIStreamReader):
    __slots__ = ()

    def _take(self, event: bytes) -> bytes:
        return b"" if self._fails(event) else super()._take(event)

    def _take_chunk(self, event: bytes, chunk: Chunk) -> bytes:
        return b"" if self._fails(event) else super()._take_chunk(event, chunk)

    def _fails(self, event: bytes) -> bool:
        if self.finished or self.failure is not None:
            return False
        self.failure = failure_in(data_of(event) or b"")
        return self.failure is not None
