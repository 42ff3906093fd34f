"""Embeddings by Gemini's `batchEmbedContents`."""

from typing import Any, Final

import msgspec
from msgspec import Struct

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
    usage_metadata: _Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


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
    told = None if answer.usage_metadata is None else answer.usage_metadata.prompt_token_count
    usage = None
    if told is not None:
        usage = Usage(input_tokens=told) if 0 < told <= MAX_PLAUSIBLE_TOKENS else CONFLICT
    return Made([one.values for one in answer.embeddings], usage)
