"""llama.cpp's server: every chunk tells the tokens so far, so a cut stream is charged exactly."""

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Ask, Usage
from tidegate.providers._openai_stream import Chunk, OpenAIStreamReader
from tidegate.providers.openai_compatible import OpenAICompatible


class _Timings(Struct):
    """`prompt_n` were computed now, `cache_n` taken from the slot's cache."""

    prompt_n: int
    predicted_n: int
    cache_n: int = 0


class _TimedChunk(Chunk):
    timings: _Timings | None = None


class _Reader(OpenAIStreamReader):
    __slots__ = ()

    _decode = msgspec.json.Decoder(_TimedChunk).decode
    _reads_every_chunk = True

    def _read(self, chunk: Chunk) -> bool:
        passes = super()._read(chunk)
        if isinstance(chunk, _TimedChunk) and chunk.timings is not None and chunk.usage is None:
            told = chunk.timings
            self.usage = Usage(told.prompt_n, told.cache_n, None, told.predicted_n)
        return passes


class LlamaCpp(OpenAICompatible):
    base_url = "http://127.0.0.1:8080/v1"
    stream_members = (("timings_per_token", Raw(b"true")),)

    def reader(self, ask: Ask) -> OpenAIStreamReader:
        return _Reader(ask)


plug = LlamaCpp()
