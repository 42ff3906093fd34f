"""OpenAI's wire of what is no chat: moderations, images, audio; and the ranking that Cohere, Jina
and vLLM have in one shape.

Requests and answers pass as they came, but for the model's name. Of an answer only what it used is
read, and whether it is one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Answer, Ask, Outgoing, Units, Usage
from tidegate.core.plan import Target
from tidegate.core.plugs import StreamReader
from tidegate.core.receipt import NO_OUTPUT, Endpoint
from tidegate.providers._failures import malformed, no_answer
from tidegate.providers._media_stream import AudioReader, MediaStreamReader, check_text
from tidegate.providers._media_usage import read_media_usage, seconds
from tidegate.providers._openai_error import failure_in_answer
from tidegate.text.form import content_type, write_form
from tidegate.text.strict_json import UNREADABLE

PATHS: Final[Mapping[Endpoint, bytes]] = {
    "rerank": b"/rerank",
    "moderations": b"/moderations",
    "images": b"/images/generations",
    "image_edits": b"/images/edits",
    "image_variations": b"/images/variations",
    "speech": b"/audio/speech",
    "transcriptions": b"/audio/transcriptions",
    "translations": b"/audio/translations",
}
NOWHERE: Final[Mapping[Endpoint, bytes]] = MappingProxyType({})
IMAGES: Final[frozenset[Endpoint]] = frozenset({"images", "image_edits", "image_variations"})
SPOKEN: Final[frozenset[Endpoint]] = frozenset({"speech", "transcriptions"})
AUDIO: Final[frozenset[Endpoint]] = SPOKEN | {"translations"}
# Of searches, or of tokens: nobody is charged for as many.
_MOST: Final = 1_000_000
_encode: Final = msgspec.json.Encoder().encode


class _Result(Struct):
    index: int
    relevance_score: float


class _Whole(Struct):
    """Whatever of any endpoint is judged."""

    error: Any = None
    id: Any = None
    model: Any = None
    usage: Any = None
    results: list[Any] | None = None
    data: list[Raw] | None = None
    text: str | None = None
    duration: Any = None
    size: Any = None
    quality: Any = None
    svg_usage: Any = None
    meta: Any = None
    tokens: Any = None


_decode: Final = msgspec.json.Decoder(_Whole).decode


class Media:
    """core.plugs.Passthrough of what is no chat."""

    counts_tokens = False

    def __init__(self, elsewhere: Mapping[Endpoint, bytes] = NOWHERE) -> None:
        """`elsewhere` are the paths of a provider that has its own."""
        self._paths = {**PATHS, **elsewhere}

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        path, metered = self._paths[ask.endpoint], ask.metered
        form = None if metered is None else metered.form
        if form is not None:
            body = write_form(form, {"model": target.model.encode()})
            return Outgoing(path, body, content_type=content_type(form))
        if ask.model == target.model:
            return Outgoing(path, ask.body)
        return Outgoing(path, _encode({**ask.members, "model": target.model}))

    def reader(self, ask: Ask) -> StreamReader:
        metered = ask.metered
        if metered is None or not metered.events:
            return AudioReader()
        return MediaStreamReader(metered.images or 1, wants_output=ask.endpoint not in NO_OUTPUT)

    def across(self, body: bytes, *, streamed: bool) -> bytes | None:
        del body, streamed
        return None

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        metered = ask.metered
        if metered is not None and metered.came_as and metered.takes[1:]:
            return _read_text(body)
        try:
            check_text(body)
            whole = _decode(body)
        except UNREADABLE:
            raise no_answer() from None
        if whole.error:
            raise failure_in_answer(whole.error)
        if not _is_answer(ask, whole):
            raise malformed("the provider's answer is empty, or of something else")
        usage = read_media_usage(whole.usage, wants_output=ask.endpoint not in NO_OUTPUT)
        told, units = usage if usage is not None else (_billed_tokens(ask, whole), Units())
        if whole.svg_usage is not None:  # charged besides, by another model's prices
            told = Usage(conflict=True)
        units = _units(ask, whole, units)
        model = whole.model if isinstance(whole.model, str) else None
        named = whole.id if isinstance(whole.id, str) else None
        return Answer(told, None, model, named, b"", units=units)


def _is_answer(ask: Ask, whole: _Whole) -> bool:
    endpoint = ask.endpoint
    if endpoint == "rerank":
        return whole.results is not None and are_ranks(whole.results, ask)
    if endpoint == "moderations":
        return bool(whole.results)
    if endpoint in ("transcriptions", "translations"):
        return whole.text is not None
    return endpoint != "speech" and bool(whole.data)


def are_ranks(told: list[Any], ask: Ask) -> bool:
    """Whether each names a document that was sent, none twice."""
    try:
        results = msgspec.convert(told, list[_Result])
    except msgspec.ValidationError:
        return False
    count = 0 if ask.metered is None else ask.metered.documents
    found = {it.index for it in results}
    return len(found) == len(results) and all(0 <= index < count for index in found)


def _units(ask: Ask, whole: _Whole, units: Units) -> Units:
    """What is told beside tokens."""
    if ask.endpoint in ("images", "image_edits", "image_variations"):
        return msgspec.structs.replace(
            units,
            images=len(whole.data or ()),
            image_size=_word(whole.size),
            image_quality=_word(whole.quality),
        )
    if ask.endpoint == "rerank":
        return msgspec.structs.replace(units, search_units=_billed(whole, "search_units"))
    if units.audio_s is None:
        return msgspec.structs.replace(units, audio_s=seconds(whole.duration))
    return units


def _billed(whole: _Whole, name: str) -> int | None:
    """What a ranking is charged for, wherever its provider tells it. Cohere writes some as 1.0."""
    meta = whole.meta if isinstance(whole.meta, dict) else {}
    for place in (meta.get("billed_units"), meta.get("tokens"), whole.tokens, whole.usage):
        told = place.get(name) if isinstance(place, dict) else None
        if isinstance(told, (int, float)) and not isinstance(told, bool) and 0 < told <= _MOST:
            return int(told) if told == int(told) else None
    return None


def _billed_tokens(ask: Ask, whole: _Whole) -> Usage | None:
    told = _billed(whole, "input_tokens") if ask.endpoint == "rerank" else None
    return None if told is None else Usage(told)


def _word(told: Any) -> str | None:
    return told if isinstance(told, str) and told.isprintable() and len(told) <= 64 else None


def _read_text(body: bytes) -> Answer:
    """A transcript that is plain text. Failure where it is an error, or no text."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise no_answer() from None
    return Answer(None, None, None, None, b"", units=Units())
