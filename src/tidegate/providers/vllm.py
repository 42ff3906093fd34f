"""vLLM: every chunk carries the usage so far, so a cut stream is charged exactly.

A caller who did not ask for it must not see it, because clients add up what they see; it is cut
out where vLLM puts it, at the chunk's end.
"""

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.providers._openai_stream import Chunk, OpenAIStreamReader
from tidegate.providers.openai_compatible import OpenAICompatible

# Inside a JSON string the quotes would be escaped, so this can only be the member itself.
_MEMBER = b',"usage":'


class _Reader(OpenAIStreamReader):
    __slots__ = ("_cuts",)

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._cuts = not ask.continuous_usage

    def _take_chunk(self, event: bytes, chunk: Chunk) -> bytes:
        shown = super()._take_chunk(event, chunk)
        if shown and self._cuts and chunk.usage is not None and chunk.choices:
            return _without_usage(shown)
        return shown


def _without_usage(event: bytes) -> bytes:
    """The event less a `usage` that ends its JSON object; unchanged when it stands elsewhere."""
    at = event.rfind(_MEMBER)
    end = event.rstrip()
    try:
        msgspec.json.decode(end[at + len(_MEMBER) : -1], type=dict)
    except msgspec.DecodeError:
        return event
    return event[:at] + b"}" + event[len(end) :]


class Vllm(OpenAICompatible):
    base_url = "http://127.0.0.1:8000/v1"
    stream_options = (("continuous_usage_stats", Raw(b"true")),)

    def reader(self, ask: Ask) -> OpenAIStreamReader:
        return _Reader(ask)


plug = Vllm()
