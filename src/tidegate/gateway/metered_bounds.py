"""What a request that is no chat can come to at most, by what it says of itself."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from msgspec import Raw

from tidegate.core.metered import LEAST_AUDIO_BYTES_PER_S, Form, Metered, search_units
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Endpoint
from tidegate.text.frames_heard import Heard
from tidegate.text.heard import heard

MAX_DOCUMENTS: Final = 10_000


class Said(Protocol):
    """What is read of a request."""

    n: int | None
    size: str | None
    quality: str | None
    prompt: str | None
    input: Any
    query: Any
    documents: list[Raw] | None


def bounds(endpoint: Endpoint, said: Said, form: Form | None, body_bytes: int) -> Metered:
    """Refusal for what has no bound, or is nothing."""
    if endpoint == "rerank":
        return _ranking(said, body_bytes)
    if endpoint == "speech":
        return _speech(said, body_bytes)
    metered = Metered(form=form, text_bytes=body_bytes if form is None else _field_bytes(form))
    if endpoint in ("images", "image_edits", "image_variations"):
        metered.images = 1 if said.n is None else said.n
        metered.image_size, metered.image_quality = said.size, said.quality
        metered.input_images = 0 if form is None else len(files(form))
    elif endpoint == "moderations":
        if not isinstance(said.input, (str, list)) or not said.input:
            message = "`input` must be a string or an array"
            raise Refusal("invalid_parameter", message, param="input")
        metered.input_images = _images_in(said.input)
    elif form is not None:
        audio = files(form)[0]
        if not len(audio):
            raise Refusal("invalid_parameter", "`file` is empty", param="file")
        found = heard(audio) or Heard(0.0, len(audio))
        metered.audio_is_exact = found.exact and not found.unread_bytes
        metered.audio_s = found.seconds + found.unread_bytes / LEAST_AUDIO_BYTES_PER_S
    return metered


def files(form: Form) -> Sequence[memoryview]:
    return [part.content for part in form.parts if part.filename is not None]


def _field_bytes(form: Form) -> int:
    return sum(len(part.content) for part in form.parts if part.filename is None)


def _ranking(said: Said, body_bytes: int) -> Metered:
    documents = said.documents or []
    if not documents:
        raise Refusal("invalid_parameter", "`documents` has none", param="documents")
    if len(documents) > MAX_DOCUMENTS:
        message = f"`documents` has more than {MAX_DOCUMENTS}"
        raise Refusal("invalid_parameter", message, param="documents")
    if not isinstance(said.query, (str, dict)) or not said.query:
        raise Refusal("invalid_parameter", "`query` must be a text", param="query")
    if not all(memoryview(one)[0] in b'"{' for one in documents):
        message = "`documents` must be texts, or objects that hold one"
        raise Refusal("invalid_parameter", message, param="documents")
    sizes = [len(memoryview(one)) for one in documents]
    # What is not of the documents is taken for the query: it stands before each of them.
    return Metered(
        documents=len(documents),
        query_bytes=max(body_bytes - sum(sizes), 0),
        search_units=search_units(sizes),
        text_bytes=body_bytes,
    )


def _speech(said: Said, body_bytes: int) -> Metered:
    if not isinstance(said.input, str) or not said.input:
        raise Refusal("invalid_parameter", "`input` must be a text", param="input")
    return Metered(characters=len(said.input), text_bytes=body_bytes)


def _images_in(told: Any) -> int:
    """Parts of what is to be judged that are images."""
    parts = told if isinstance(told, list) else []
    return sum(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)
