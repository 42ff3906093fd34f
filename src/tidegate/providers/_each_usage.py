"""Streams in which every chunk carries the usage so far, so that a cut one is charged exactly.

A caller who did not ask for it must not see it, because clients add up what they see: it is taken
out of each chunk, wherever in the chunk it stands. Of several choices or prompts a chunk tells the
usage of its own one only, so what a cut stream used is their sum, each prompt counted once.
"""

import msgspec
from msgspec import Raw, structs

from tidegate.core.ask import Ask, Usage
from tidegate.providers._openai_chunk import Chunk
from tidegate.providers._openai_stream import OpenAIStreamReader, has_several_answers
from tidegate.providers._openai_usage import read_usage, total
from tidegate.text.sse import data_of

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class EachUsageReader(OpenAIStreamReader):
    __slots__ = ("_cuts", "_parts", "_several")

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._cuts = not ask.continuous_usage
        self._several = has_several_answers(ask)
        self._parts: dict[int, Usage] = {}

    def _take_chunk(self, event: bytes, chunk: Chunk) -> bytes:
        shown = super()._take_chunk(event, chunk)
        if shown and self._cuts and chunk.usage is not None and chunk.choices:
            return _without_usage(shown)
        return shown

    def _read(self, chunk: Chunk) -> bool:
        passes = super()._read(chunk)
        if self._several and chunk.usage is not None and chunk.choices:
            index = chunk.choices[0].index
            self._parts[index] = self._share(index, read_usage(chunk.usage, wants_output=True))
            self.usage = total(self._parts.values())
        return passes

    def _share(self, index: int, usage: Usage) -> Usage:
        """What the choice adds to the whole: the first of a prompt's choices brings its input."""
        if index % max(self.asked.choices, 1) == 0:
            return usage
        return structs.replace(
            usage,
            input_tokens=None,
            cache_read_tokens=None,
            cache_write_tokens=None,
            audio_input_tokens=None,
        )


class LastUsageReader(EachUsageReader):
    """Where no chunk tells the usage alone: a caller who asked for it finds it in the last."""

    __slots__ = ()

    def _take_chunk(self, event: bytes, chunk: Chunk) -> bytes:
        if self.asked.include_usage and any(it.finish_reason for it in chunk.choices):
            self._cuts = False
        return super()._take_chunk(event, chunk)


def _without_usage(event: bytes) -> bytes:
    """The event less its chunk's `usage`; every other member stays the bytes that came."""
    members = _members(data_of(event) or b"{}")
    members.pop("usage", None)
    return b"data: %b\n\n" % _encode(members)
