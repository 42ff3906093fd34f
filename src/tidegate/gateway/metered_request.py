"""accept, of what is no chat: a JSON object or a form becomes an Ask, bounded and judged.

What it can come to at most is noted in the units that its endpoint is sold by.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from tidegate.core.ask import MEDIA, Ask
from tidegate.core.metered import Form, Metered
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Endpoint, Receipt
from tidegate.gateway.context import Context, identifier
from tidegate.gateway.entry import Entry
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.metered_bounds import bounds
from tidegate.text.form import FormProblem, read_form
from tidegate.text.strict_json import JsonProblem, read_object

MAX_MODEL_CHARS: Final = 256
MAX_IMAGES: Final = 128
FORMS: Final[frozenset[Endpoint]] = frozenset(
    {"image_edits", "image_variations", "transcriptions", "translations"}
)
# The files that a form may bring; the first of them it must.
_FILES: Final[dict[Endpoint, tuple[str, ...]]] = {
    "image_edits": ("image", "image[]", "mask"),
    "image_variations": ("image",),
    "transcriptions": ("file",),
    "translations": ("file",),
}
# By what providers take audio that is not in the form (Groq, Mistral, Z.ai): nobody could count it.
_ELSEWHERE: Final = frozenset({"url", "file_url", "file_id", "file_base64"})
_REQUIRED: Final[dict[Endpoint, tuple[str, ...]]] = {
    "rerank": ("query", "documents"),
    "moderations": ("input",),
    "images": ("prompt",),
    "image_edits": ("prompt",),
    "speech": ("input",),
}
_SSE: Final = (b"text/event-stream",)
# What of an answer's type is passed on: the first that it begins with.
AUDIO: Final = (
    *(b"audio/mpeg", b"audio/mp3", b"audio/ogg", b"audio/opus", b"audio/aac", b"audio/flac"),
    *(b"audio/x-flac", b"audio/wav", b"audio/x-wav", b"audio/wave", b"audio/pcm", b"audio/l16"),
    *(b"audio/mp4", b"audio/webm", b"audio/basic", b"application/octet-stream"),
)
_TEXT: Final = (b"text/plain", b"text/vtt", b"text/srt", b"application/x-subrip")
_JSON: Final = (b"application/json",)
_TEXT_FORMATS: Final = frozenset({"text", "srt", "vtt"})
_Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\x20-\x7e]*$")]
_encode: Final = msgspec.json.Encoder().encode


class Judged(Struct):
    """The members whose values decide something here, of every endpoint."""

    model: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARS)] | None = None
    stream: bool | None = None
    n: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] | None = None
    size: _Word | None = None
    quality: _Word | None = None
    response_format: _Word | None = None
    stream_format: _Word | None = None
    prompt: str | None = None
    input: Any = None
    query: Any = None
    documents: list[Raw] | None = None
    user: str | None = None


_NAMES: Final = frozenset(Judged.__struct_fields__)
_WANTED: Final = {
    "model": f"a model's name of at most {MAX_MODEL_CHARS} characters",
    "stream": "true or false",
    "n": f"a whole number from 1 to {MAX_IMAGES}",
    "prompt": "a string",
    "documents": "an array",
    "user": "a string",
}
_decode: Final = msgspec.json.Decoder(Judged).decode


def accept_metered(incoming: Incoming, entry: Entry, context: Context, receipt: Receipt) -> Ask:
    """Reads the request and notes on the receipt what it says of itself. Refusal."""
    endpoint, form = entry.endpoint, None
    if endpoint in FORMS:
        form = _form(incoming)
        members, judged = _read_form(form, endpoint)
    else:
        members, judged = _read_json(incoming.body)
    for name in ("model", *_REQUIRED.get(endpoint, ())):
        if getattr(judged, name) is None:
            raise Refusal("missing_parameter", f"`{name}` is missing", param=name)
    model = judged.model or ""
    if not model.isprintable():
        raise Refusal("invalid_parameter", "`model` is not a model's name", param="model")
    metered = bounds(endpoint, judged, form, len(incoming.body))
    streamed = _expect(metered, endpoint, judged)
    ask = Ask(endpoint, incoming.body, members, model, streamed)
    ask.dialect, ask.metered = MEDIA, metered
    receipt.model_asked, receipt.stream = model, streamed
    receipt.image_size, receipt.image_quality = metered.image_size, metered.image_quality
    if endpoint == "speech":
        receipt.characters = metered.characters
    if endpoint == "rerank":
        receipt.documents = metered.documents
    context.note(receipt)
    if judged.user is not None and receipt.end_user is None:
        receipt.end_user = identifier(judged.user)
    return ask


def measure_again(ask: Ask, metered: Metered, receipt: Receipt) -> None:
    """Of a request of JSON in which other texts stand by now."""
    now = bounds(ask.endpoint, _judged(ask.body), None, len(ask.body))
    metered.characters, metered.text_bytes = now.characters, now.text_bytes
    metered.documents, metered.query_bytes = now.documents, now.query_bytes
    metered.search_units = now.search_units
    if ask.endpoint == "speech":
        receipt.characters = metered.characters


def _expect(metered: Metered, endpoint: Endpoint, judged: Judged) -> bool:
    """Notes what an answer may be; whether it is relayed as it comes."""
    if endpoint == "speech":
        metered.events = judged.stream_format == "sse"
        metered.streams = _SSE if metered.events else AUDIO
    elif judged.stream is True and endpoint in ("images", "image_edits", "transcriptions"):
        metered.events, metered.streams = True, _SSE
    elif judged.response_format in _TEXT_FORMATS and endpoint in ("transcriptions", "translations"):
        metered.takes = (*_JSON, *_TEXT)
    metered.streamed = bool(metered.streams)
    return metered.streamed


def _read_json(body: bytes) -> tuple[dict[str, Raw], Judged]:
    try:
        members = read_object(body, _NAMES)
    except JsonProblem as problem:
        raise Refusal("invalid_json", str(problem), param=problem.path) from None
    return members, _judged(body)


def _judged(body: bytes) -> Judged:
    try:
        return _decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        _, found, path = str(error).partition("`$.")
        name = path.rstrip("`").partition("[")[0] if found else "body"
        wanted = _WANTED.get(name, "what the API takes")
        raise Refusal("invalid_parameter", f"`{name}` must be {wanted}", param=name) from None


def _form(incoming: Incoming) -> Form:
    kind = incoming.head.headers.get(b"content-type", b"")
    if not kind.lower().startswith(b"multipart/form-data"):
        raise Refusal("unsupported_media_type", "the body must be multipart/form-data")
    try:
        return read_form(kind, incoming.body)
    except FormProblem as problem:
        raise Refusal("invalid_request", str(problem), param=problem.name) from None


def _read_form(form: Form, endpoint: Endpoint) -> tuple[dict[str, Raw], Judged]:
    """The plain fields as members of an object, each a string. Refusal of what is there twice, or
    is a file where none is taken."""
    fields: dict[str, str] = {}
    brought: set[str] = set()
    wanted = _FILES[endpoint]
    for part in form.parts:
        name = part.name
        if (part.filename is not None) != (name in wanted):
            what = "a file" if name in wanted else "no file"
            raise Refusal("invalid_parameter", f"`{name}` must be {what}", param=name)
        if name.lower() in _NAMES and name not in _NAMES:
            raise Refusal("invalid_parameter", f"`{name}` is not how it is written", param=name)
        if part.filename is not None:
            brought.add(name)
            continue
        if wanted == ("file",) and name.lower() in _ELSEWHERE:
            message = f"`{name}` names audio that is not here, whose length nobody knows; send it"
            raise Refusal("unsupported_parameter", message, param=name)
        try:
            fields[name] = bytes(part.content).decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal("invalid_parameter", f"`{name}` is not UTF-8", param=name) from None
    if brought.isdisjoint(wanted[:2]):
        raise Refusal("missing_parameter", f"`{wanted[0]}` is missing", param=wanted[0])
    members = {name: Raw(_encode(value)) for name, value in fields.items()}
    typed: dict[str, Raw] = {name: members[name] for name in members.keys() & _NAMES}
    if "stream" in typed:
        typed["stream"] = _bare(fields["stream"].lower(), typed["stream"])
    if "n" in typed:
        typed["n"] = _bare(fields["n"], typed["n"])
    return members, _judged(_encode(typed))


def _bare(text: str, quoted: Raw) -> Raw:
    """A number or a truth as JSON has it; anything else as the string that it is."""
    plain = text in ("true", "false") or (text.isascii() and text.isdigit() and len(text) < 5)
    return Raw(text.lstrip("0").encode() or b"0") if plain else quoted
