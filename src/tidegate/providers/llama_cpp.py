"""llama.cpp's server: every chunk tells the tokens so far, so a cut stream is charged exactly.

Several choices or prompts are so many slots to it, and all that it says of tokens is of one slot:
in a stream they are summed here; in a whole answer only the first one's are told.
"""

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Ask, Usage
from tidegate.core.plan import Adapter, AdapterForm
from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._openai_chunk import Chunk
from tidegate.providers._openai_stream import OpenAIStreamReader, has_several_answers
from tidegate.providers._openai_usage import total
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible
from tidegate.text.sse import data_of


class _Timings(Struct):
    """`prompt_n` were computed now, `cache_n` taken from the slot's cache."""

    prompt_n: int
    predicted_n: int
    cache_n: int = 0


class _TimedChunk(Chunk):
    timings: _Timings | None = None


class _Reader(OpenAIStreamReader):
    __slots__ = ("_index", "_parts", "_several")

    _decode = msgspec.json.Decoder(_TimedChunk).decode
    _reads_every_chunk = True

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._several = has_several_answers(ask)
        self._index = 0
        self._parts: dict[int, Usage] = {}

    def _take(self, event: bytes) -> bytes:
        # Ahead of the answers to several prompts it sends an event that says nothing.
        return b"" if data_of(event) == b"null" else super()._take(event)

    def _read(self, chunk: Chunk) -> bool:
        passes = super()._read(chunk)
        if chunk.choices:
            self._index = chunk.choices[-1].index
        told = chunk.timings if isinstance(chunk, _TimedChunk) else None
        if told is not None and (chunk.usage is None or self._several):
            usage = Usage(told.prompt_n, told.cache_n, None, told.predicted_n)
            if self._several:
                # A chunk of usage alone follows the end of the choice that it is of.
                self._parts[self._index] = usage
                usage = total(self._parts.values())
            self.usage = usage
        return passes


class LlamaCpp(OpenAICompatible):
    base_url = "http://127.0.0.1:8080/v1"
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, "rerank"})
    stream_members = (("timings_per_token", Raw(b"true")),)
    tells_usage_of_one_choice = True
    adapters: AdapterForm | None = "number"
    manners = Manners(reasoning="reasoning_content", top_k=True, names_a_tool=False)

    def adapter_members(self, adapter: Adapter) -> dict[str, Raw]:
        """Adapters that are not named have no part in the answer."""
        named = {"id": int(adapter.name), "scale": adapter.scale}
        return {"lora": Raw(msgspec.json.encode([named]))}

    def chunks(self, ask: Ask) -> OpenAIStreamReader:
        return _Reader(ask)


plug = LlamaCpp()
