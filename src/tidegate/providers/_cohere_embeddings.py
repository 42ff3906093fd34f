"""Embeddings by Cohere's `/v2/embed`."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Outgoing
from tidegate.core.embeddings import Made, Wanted
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Target
from tidegate.providers._cohere_usage import read_usage
from tidegate.providers._failures import no_answer
from tidegate.text.strict_json import UNREADABLE

MOST_TEXTS: Final = 96  # in one request; Cohere refuses more
PATH: Final = b"/embed"
# What OpenAI's callers cannot say, and Cohere wants to know: the texts are to be searched.
_INPUT_TYPE: Final = "search_document"


class _Vectors(Struct):
    float: list[list[float]]


class _Answer(Struct):
    embeddings: _Vectors
    meta: Raw = Raw(b"null")


_decode = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


class CohereEmbeddings:
    """core.embeddings.Embedder."""

    def encode(self, wanted: Wanted, target: Target) -> Outgoing:
        if len(wanted.texts) > MOST_TEXTS:
            message = f"`input`: at most {MOST_TEXTS} texts at a time"
            raise Refusal("invalid_parameter", message, param="input")
        body: dict[str, Any] = {"model": target.model, "texts": wanted.texts}
        body |= {"input_type": _INPUT_TYPE, "embedding_types": ["float"]}
        if wanted.dimensions is not None:
            body["output_dimension"] = wanted.dimensions
        return Outgoing(PATH, _encode(body))

    def read(self, body: bytes) -> Made:
        try:
            answer = _decode(body)
        except UNREADABLE:
            raise no_answer() from None
        return Made(answer.embeddings.float, read_usage(answer.meta, wants_output=False))
