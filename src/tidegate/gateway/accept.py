"""accept: the bytes of a request become an Ask, bounded and judged."""

import re
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Ask
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Endpoint, Receipt
from tidegate.gateway.http.reader import Incoming
from tidegate.text.strict_json import JsonProblem, read_object

MAX_MODEL_CHARS = 256
MAX_ID_CHARS = 256
MAX_CHOICES = 128
MAX_OUTPUT_TOKENS = 100_000_000

T = TypeVar("T")

# The member that holds the caller's text, by endpoint, and the JSON it may start with.
_CONTENT: Final[Mapping[Endpoint, tuple[str, bytes]]] = {
    "chat": ("messages", b"["),
    "completions": ("prompt", b'["'),
    "embeddings": ("input", b'["'),
}
_JUDGED: Final = frozenset(
    {
        "model",
        "messages",
        "prompt",
        "input",
        "stream",
        "stream_options",
        "n",
        "max_tokens",
        "max_completion_tokens",
        "user",
        "metadata",
    }
)
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]+")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_BAGGAGE = re.compile(rb"(?:^|,)\s*tidegate\.(retrieval|tool)_ms\s*=\s*(\d{1,9}(?:\.\d{1,6})?)")


class _StreamOptions(Struct):
    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None


class _Metadata(Struct):
    session_id: str | None = None


_text = msgspec.json.Decoder(str)
_text_or_null: "msgspec.json.Decoder[str | None]" = msgspec.json.Decoder(str | None)
_flag: "msgspec.json.Decoder[bool | None]" = msgspec.json.Decoder(bool | None)
_number: "msgspec.json.Decoder[int | None]" = msgspec.json.Decoder(int | None)
_metadata = msgspec.json.Decoder(_Metadata)
_stream_options: "msgspec.json.Decoder[_StreamOptions | None]" = msgspec.json.Decoder(
    _StreamOptions | None
)


def accept(incoming: Incoming, endpoint: Endpoint, receipt: Receipt) -> Ask:
    """Reads the request and notes on the receipt what it says about itself. Refusal."""
    headers = incoming.headers
    # curl's own default is let pass, because the body is judged anyway.
    if headers.get(b"content-type", b"").lower().startswith(b"multipart/"):
        raise Refusal("unsupported_media_type", "the body must be application/json")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal("unsupported_media_type", "the body must not be compressed")
    try:
        members = read_object(incoming.body, _JUDGED)
    except JsonProblem as problem:
        raise Refusal("invalid_json", str(problem), param=problem.path) from None
    ask = Ask(endpoint, incoming.body, members, _model(members))
    _check_content(endpoint, members)
    _read_options(ask, members)
    receipt.model_asked = ask.model
    receipt.stream = ask.stream
    receipt.choices = ask.choices
    _note_context(ask, headers, receipt)
    return ask


def _model(members: Mapping[str, Raw]) -> str:
    raw = members.get("model")
    if raw is None:
        raise Refusal("missing_parameter", "`model` is missing", param="model")
    model = _typed(raw, _text, "model", "a string")
    if not model or len(model) > MAX_MODEL_CHARS or not _PLAIN.fullmatch(model):
        raise Refusal("invalid_parameter", "`model` is not a model's name", param="model")
    return model


def _check_content(endpoint: Endpoint, members: Mapping[str, Raw]) -> None:
    name, starts = _CONTENT[endpoint]
    raw = members.get(name)
    if raw is None:
        raise Refusal("missing_parameter", f"`{name}` is missing", param=name)
    if bytes(raw)[:1] not in (starts[:1], starts[1:]):
        wanted = "an array" if len(starts) == 1 else "a string or an array"
        raise Refusal("invalid_parameter", f"`{name}` must be {wanted}", param=name)


def _read_options(ask: Ask, members: Mapping[str, Raw]) -> None:
    raw = members.get("stream")
    if raw is not None and ask.endpoint != "embeddings":
        ask.stream = bool(_typed(raw, _flag, "stream", "true or false"))
    raw = members.get("stream_options")
    if raw is not None:
        options = _typed(raw, _stream_options, "stream_options", "an object")
        if options is not None:
            ask.include_usage = bool(options.include_usage)
            ask.continuous_usage = ask.include_usage and bool(options.continuous_usage_stats)
    raw = members.get("n")
    if raw is not None:
        ask.choices = _bounded(raw, "n", MAX_CHOICES) or 1
    for name in ("max_tokens", "max_completion_tokens"):
        raw = members.get(name)
        if raw is not None:
            ceiling = _bounded(raw, name, MAX_OUTPUT_TOKENS)
            if ceiling is not None:
                known = ask.output_ceiling_tokens
                ask.output_ceiling_tokens = ceiling if known is None else min(known, ceiling)
    raw = members.get("user")
    if raw is not None:
        ask.end_user = _identifier(_typed(raw, _text_or_null, "user", "a string"))
    raw = members.get("metadata")
    if raw is not None:
        try:
            metadata = _metadata.decode(raw)
            ask.session_id = _identifier(metadata.session_id)
        except msgspec.DecodeError:
            ask.session_id = None  # metadata is the caller's own; a strange shape is not refused


def _bounded(raw: Raw, name: str, most: int) -> int | None:
    value = _typed(raw, _number, name, "a whole number")
    if value is not None and not 1 <= value <= most:
        raise Refusal("invalid_parameter", f"`{name}` must be from 1 to {most}", param=name)
    return value


def _typed(raw: Raw, decoder: "msgspec.json.Decoder[T]", name: str, wanted: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise Refusal("invalid_parameter", f"`{name}` must be {wanted}", param=name) from None


def _identifier(text: str | None) -> str | None:
    """A caller's own id, if it is fit to be stored and shown; others count as absent."""
    if text and len(text) <= MAX_ID_CHARS and _PLAIN.fullmatch(text):
        return text
    return None


def _header_identifier(headers: Mapping[bytes, bytes], *names: bytes) -> str | None:
    for name in names:
        value = headers.get(name)
        if value:
            return _identifier(value.decode("latin-1"))
    return None


def _note_context(ask: Ask, headers: Mapping[bytes, bytes], receipt: Receipt) -> None:
    """Session, end user, trace and the application's own times, from headers and body."""
    receipt.session_id = (
        _header_identifier(headers, b"x-tidegate-session-id", b"x-litellm-session-id")
        or ask.session_id
    )
    receipt.end_user = (
        _header_identifier(headers, b"x-tidegate-end-user-id", b"x-litellm-end-user-id")
        or ask.end_user
    )
    receipt.client_request_id = _header_identifier(headers, b"x-request-id")
    retries = headers.get(b"x-stainless-retry-count")
    if retries is not None and retries.isdigit() and len(retries) < 4:
        receipt.retry_count = int(retries)
    trace = headers.get(b"traceparent")
    if trace is not None and (match := _TRACEPARENT.fullmatch(trace)):
        receipt.trace_id = match[1].decode()
    baggage = headers.get(b"baggage")
    if baggage is not None and b"tidegate." in baggage:
        for name, milliseconds in _BAGGAGE.findall(baggage):
            spent_s = float(milliseconds) / 1000
            if name == b"retrieval":
                receipt.retrieval_s = spent_s
            else:
                receipt.tool_s = spent_s
