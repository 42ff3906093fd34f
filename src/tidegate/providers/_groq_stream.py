"""Groq's streams: what ended one early, and older ones' usage, stand in `x_groq`."""

from typing import Any

import msgspec
from msgspec import Struct

from tidegate.providers._failures import interrupted
from tidegate.providers._openai_chunk import Chunk
from tidegate.providers._openai_stream import OpenAIStreamReader


class _Own(Struct, gc=False):
    error: Any = None
    usage: Any = None


class _Chunk(Chunk):
    x_groq: _Own | None = None


class GroqReader(OpenAIStreamReader):
    __slots__ = ()

    _decode = msgspec.json.Decoder(_Chunk).decode

    def _read(self, chunk: Chunk) -> bool:
        own = chunk.x_groq if isinstance(chunk, _Chunk) else None
        if own is not None and own.error:
            self.failure = interrupted("the provider broke its answer off")
        elif own is not None and own.usage is not None and chunk.usage is None:
            self._read_usage(own.usage, only_usage=False)
        return super()._read(chunk)
