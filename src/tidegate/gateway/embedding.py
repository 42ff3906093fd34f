"""embedding: OpenAI's embeddings at a target that makes them in a wire of its own."""

import base64
import struct
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from tidegate.core.ask import Answer, Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.embeddings import Embedder, Made, Wanted
from tidegate.core.losses import Losses
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.size import estimate_input_tokens


class _Body(Struct):
    input: str | list[str]
    model: Any = None
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


_KNOWN: Final = frozenset(_Body.__struct_fields__)
_decode = msgspec.json.Decoder(_Body).decode
_encode = msgspec.json.Encoder().encode


def _read(ask: Ask) -> _Body:
    try:
        return _decode(ask.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        name = "input" if "$.input" in str(error) else "body"
        message = f"`{name}`: this model takes a text or a list of texts ({error})"
        raise Refusal("invalid_parameter", message[:500], param=name) from None


def outgoing(ask: Ask, target: PreparedTarget, receipt: Receipt, *, drop: bool) -> Outgoing:
    """The request in the target's wire. Refusal for what it cannot do, by the route's rule."""
    body = _read(ask)
    unread = {name: raw for name, raw in ask.members.items() if name not in _KNOWN}
    said = Conversation([], unread=unread, names={"end_user": "user"})
    losses = Losses(said, target.target.dialect, drop=drop)
    losses.lose_unread()
    if body.user is not None:
        losses.lose("end_user")
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not texts or not all(texts):
        raise Refusal("invalid_parameter", "`input` has no text", param="input")
    out = _embedder(target).encode(Wanted(texts, body.dimensions), target.target)
    receipt.dropped = list(losses.names)
    return out


def answer_of(ask: Ask, target: PreparedTarget, body: bytes) -> tuple[Made, Answer]:
    """What was made, and what a receipt notes of it. Failure (`malformed`)."""
    made = _embedder(target).read(body)
    wanted = _read(ask).input
    if len(made.vectors) != (1 if isinstance(wanted, str) else len(wanted)):
        message = "the provider made another number of vectors than was asked for"
        raise Failure("malformed", "upstream_malformed", message)
    return made, Answer(made.usage, None, made.model, None, b"")


def whole(ask: Ask, target: PreparedTarget, made: Made) -> bytes:
    """The answer's body. Clients need a number of tokens: where nobody told one, it is ours."""
    packed = _read(ask).encoding_format == "base64"
    known = None if made.usage is None or made.usage.conflict else made.usage.input_tokens
    tokens = estimate_input_tokens(ask, target.target.tokenizer) if known is None else known
    rows = [
        {"object": "embedding", "index": index, "embedding": _packed(one) if packed else one}
        for index, one in enumerate(made.vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    model = made.model or target.target.model
    return _encode({"object": "list", "data": rows, "model": model, "usage": usage})


def _packed(vector: list[float]) -> str:
    """As OpenAI packs it: 32-bit floats, little endian. Failure where one has no place in that."""
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError:
        message = "the provider's vector has a number that is none of 32 bits"
        raise Failure("malformed", "upstream_malformed", message) from None


def _embedder(target: PreparedTarget) -> Embedder:
    embedder = target.provider.embedder
    assert embedder is not None  # noqa: S101 - it has the endpoint, and not OpenAI's wire
    return embedder
