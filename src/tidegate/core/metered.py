"""What a request asks for that is no chat, and the most that it can come to in the units by which
that is sold: images, seconds of audio, characters, searches."""

from typing import Final

from msgspec import Struct

# What an audio codec for speech makes at least: 4 kbit/s. What of a file nobody can read here is
# taken for no longer than its bytes by this.
LEAST_AUDIO_BYTES_PER_S: Final = 500
# A provider that ranks counts so many documents as one search, and cuts what is longer than so many
# tokens, its query with it, into several. A query takes half of them at most.
DOCUMENTS_A_SEARCH: Final = 100
DOCUMENT_TOKENS: Final = 250


class Part(Struct, frozen=True):
    """One part of a form. `filename` None is a plain field."""

    name: str
    content: memoryview
    filename: str | None = None
    content_type: str | None = None


class Form(Struct, frozen=True):
    """A body of multipart/form-data, in order."""

    boundary: bytes
    parts: tuple[Part, ...]


class Metered(Struct):
    """`streams` are the types of content that are relayed as they come, `takes` those of a whole
    answer; the answer of the attempt that goes on `came_as` one of them, where that is no JSON and
    no events. `events`: what is relayed are server-sent events. `streamed`: its caller wants the
    answer as it comes, which some models do not mind.

    Bounds are from above, 0 is none: `audio_s` is exact where `audio_is_exact`, `text_bytes` bounds
    the tokens of all text, `documents` and `query_bytes` those of a ranking.
    """

    streams: tuple[bytes, ...] = ()
    takes: tuple[bytes, ...] = (b"application/json",)
    events: bool = False
    streamed: bool = False
    form: Form | None = None
    images: int = 0
    image_size: str | None = None
    image_quality: str | None = None
    input_images: int = 0
    audio_s: float = 0.0
    audio_is_exact: bool = False
    characters: int = 0
    documents: int = 0
    query_bytes: int = 0
    search_units: int = 0
    text_bytes: int = 0
    came_as: bytes = b""


def search_units(document_bytes: list[int]) -> int:
    """The most searches that ranking documents of so many bytes can count as."""
    parts = sum(1 + size // DOCUMENT_TOKENS for size in document_bytes)
    return -(-parts // DOCUMENTS_A_SEARCH)
