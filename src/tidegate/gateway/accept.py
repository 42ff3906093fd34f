"""accept: the bytes of a request become an Ask, bounded and judged."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from tidegate.core.ask import Ask
from tidegate.core.outcome import Refusal
from tidegate.core.plugs import Dialect
from tidegate.core.receipt import METERED, Receipt
from tidegate.gateway.context import NOTHING, Context, identifier, read_context
from tidegate.gateway.entry import Entry
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.metered_request import FORMS, accept_metered
from tidegate.text.strict_json import JsonProblem, read_object

MAX_MODEL_CHARS = 256
MAX_CHOICES = 128
MAX_OUTPUT_TOKENS = 100_000_000

_WANTED: Final[Mapping[str, str]] = {
    "model": f"a model's name of at most {MAX_MODEL_CHARS} characters",
    "stream": "true or false",
    "stream_options": "an object",
    "n": f"a whole number from 1 to {MAX_CHOICES}",
    "best_of": f"a whole number from 1 to {MAX_CHOICES}",
    "max_tokens": f"a whole number from 1 to {MAX_OUTPUT_TOKENS}",
    "max_completion_tokens": f"a whole number from 1 to {MAX_OUTPUT_TOKENS}",
    "max_output_tokens": f"a whole number from 1 to {MAX_OUTPUT_TOKENS}",
    "user": "a string",
}
_OutputTokens = Annotated[int, Meta(ge=1, le=MAX_OUTPUT_TOKENS)]


class _StreamOptions(Struct):
    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None


class _Judged(Struct):
    """The members whose values decide something here."""

    model: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARS)] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=MAX_CHOICES)] | None = None
    best_of: Annotated[int, Meta(ge=1, le=MAX_CHOICES)] | None = None
    max_tokens: _OutputTokens | None = None
    max_completion_tokens: _OutputTokens | None = None
    max_output_tokens: _OutputTokens | None = None
    user: str | None = None
    metadata: Any = None


# With the members that hold the caller's text, in whatever dialect, or lead to what is kept.
_JUDGED: Final = frozenset(
    {*_Judged.__struct_fields__, "messages", "prompt", "input", "tools"}
    | {"previous_response_id", "conversation", "background", "store"}
)
_decode = msgspec.json.Decoder(_Judged).decode
_OBJECT: Final = ord("{")
_PATH = re.compile(r"`\$\.([a-z_]+)")


def accept(incoming: Incoming, entry: Entry, receipt: Receipt) -> Ask:
    """Reads the request and notes on the receipt what it says about itself. Refusal."""
    head = incoming.head
    context = head.context
    if context is None:
        context = head.context = _read_head(head, entry)
    if entry.endpoint in METERED:
        return accept_metered(incoming, entry, context, receipt)
    try:
        members = read_object(incoming.body, _JUDGED)
    except JsonProblem as problem:
        raise Refusal("invalid_json", str(problem), param=problem.path) from None
    judged = _judge(incoming.body)
    streamed = judged.stream is True and entry.endpoint != "embeddings"
    ask = Ask(entry.endpoint, incoming.body, members, _model(judged.model), streamed)
    content = members.get(entry.content)
    if content is not None:
        _check_content(entry, content)
    elif _is_bare(entry, members):
        ask.bare = True
    else:
        raise Refusal("missing_parameter", f"`{entry.content}` is missing", param=entry.content)
    if entry.counted is not None:
        ask.endpoint, ask.counts, ask.stream = "chat", True, False
    if entry.dialect is None:
        if judged.max_tokens is not None or judged.max_completion_tokens is not None:
            ask.output_ceiling_tokens = _lower(judged.max_tokens, judged.max_completion_tokens)
        options = judged.stream_options
        if options is not None:
            ask.include_usage = options.include_usage is True
            ask.continuous_usage = ask.include_usage and options.continuous_usage_stats is True
        if judged.n is not None:
            ask.choices = receipt.choices = judged.n
    else:
        _note_dialect(ask, entry.dialect, head, judged, receipt)
    receipt.model_asked = ask.model
    receipt.stream = ask.stream
    if context is not NOTHING:
        context.note(receipt)
    if judged.user is not None or judged.metadata is not None:
        _note_body(judged, receipt)
    return ask


def _note_dialect(
    ask: Ask, dialect: Dialect, head: Head, judged: _Judged, receipt: Receipt
) -> None:
    """What a request says in a wire that is not OpenAI's own."""
    ask.dialect = receipt.dialect = dialect.name
    ask.output_ceiling_tokens = getattr(judged, dialect.ceiling)
    if dialect.needs_ceiling and ask.output_ceiling_tokens is None and not ask.counts:
        name = dialect.ceiling
        raise Refusal("missing_parameter", f"`{name}` is missing", param=name)
    ask.passed = tuple(
        (name, head.headers[name.encode()].decode("latin-1"))
        for name in dialect.passes
        if name.encode() in head.headers
    )
    metadata = judged.metadata
    if isinstance(metadata, dict) and isinstance(user := metadata.get("user_id"), str):
        receipt.end_user = identifier(user)


def _read_head(head: Head, entry: Entry) -> Context:
    """Checks what a head says of its body. Connections repeat their heads: once is enough."""
    headers = head.headers
    # curl's own default is let pass, because the body is judged anyway.
    is_form = headers.get(b"content-type", b"").lower().startswith(b"multipart/")
    if is_form and entry.endpoint not in FORMS:
        raise Refusal("unsupported_media_type", "the body must be application/json")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal("unsupported_media_type", "the body must not be compressed")
    return read_context(headers)


def _judge(body: bytes) -> _Judged:
    try:
        return _decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        match = _PATH.search(str(error))
        name = match[1] if match else "body"
        wanted = _WANTED.get(name, "what the API takes")
        raise Refusal("invalid_parameter", f"`{name}` must be {wanted}", param=name) from None


def _model(model: str | None) -> str:
    if model is None:
        raise Refusal("missing_parameter", "`model` is missing", param="model")
    if not model.isprintable():
        raise Refusal("invalid_parameter", "`model` is not a model's name", param="model")
    return model


def _is_bare(entry: Entry, members: Mapping[str, Raw]) -> bool:
    """What has no conversation: whether it has an object for the prompt of its route."""
    if entry.content == "prompt":
        return False
    prompt = members.get("prompt")
    return prompt is not None and memoryview(prompt)[0] == _OBJECT


def _check_content(entry: Entry, content: Raw) -> None:
    name, starts = entry.content, entry.starts
    if memoryview(content)[0] not in starts:
        wanted = "an array" if len(starts) == 1 else "a string or an array"
        raise Refusal("invalid_parameter", f"`{name}` must be {wanted}", param=name)


def _lower(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _note_body(judged: _Judged, receipt: Receipt) -> None:
    """End user and session of the body, where the headers have told none."""
    if judged.user is not None and receipt.end_user is None:
        receipt.end_user = identifier(judged.user)
    metadata = judged.metadata
    if isinstance(metadata, dict) and receipt.session_id is None:
        session = metadata.get("session_id")
        receipt.session_id = identifier(session) if isinstance(session, str) else None
