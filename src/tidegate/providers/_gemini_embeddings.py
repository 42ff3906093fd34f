"""Embeddings by Gemini's `batchEmbedContents`."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Usage
from tidegate.core.embeddings import Made, Wanted
from tidegate.core.outcome import Failure
from tidegate.providers._usage import CONFLICT, MAX_PLAUSIBLE_TOKENS
from tidegate.text.strict_json import UNREADABLE

MOST_TEXTS: Final = 100  # in one request; Google refuses more


class _Vector(Struct):
    values: list[float]


class _Usage(Struct, rename="camel"):
    prompt_token_count: int | None = None


class _Answer(Struct, rename="camel"):
    embeddings: list[_Vector]
    usage_metadata: Raw = Raw(b"null")


_decode = msgspec.json.Decoder(_Answer).decode
_decode_usage = msgspec.json.Decoder(_Usage | None).decode


def body_of(wanted: Wanted, model: str) -> dict[str, Any]:
    """`model` is its whole name, as in the path."""
    asked: dict[str, Any] = {"model": model}
    if wanted.dimensions is not None:
        asked["outputDimensionality"] = wanted.dimensions
    texts = [{**asked, "content": {"parts": [{"text": text}]}} for text in wanted.texts]
    return {"requests": texts}


def read(body: bytes) -> Made:
    """Failure (`malformed`) when the body is no answer of this wire."""
    try:
        answer = _decode(body)
    except UNREADABLE:
        message = "the provider's answer is not what was asked for"
        raise Failure("malformed", "upstream_malformed", message) from None
    return Made([one.values for one in answer.embeddings], _usage_of(answer.usage_metadata))


def _usage_of(raw: Raw) -> Usage | None:
    """Whatever it is: an answer whose usage cannot be read is one all the same."""
    try:
        usage = _decode_usage(raw)
    except UNREADABLE:
        return CONFLICT
    told = None if usage is None else usage.prompt_token_count
    if told is None:
        return None
    return Usage(input_tokens=told) if 0 < told <= MAX_PLAUSIBLE_TOKENS else CONFLICT
