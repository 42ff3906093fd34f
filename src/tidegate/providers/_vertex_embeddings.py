"""Embeddings on Vertex AI: `predict` of Google's text models and of the first of Gemini's, which no
other way takes; `batchEmbedContents` of Gemini's later ones.

A text that is too long for the model is refused: left to itself, Vertex would cut it and say
nothing.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import Outgoing, Usage
from tidegate.core.embeddings import Made, Wanted
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Target
from tidegate.providers import _gemini_embeddings, _vertex_wire
from tidegate.providers._usage import CONFLICT, MAX_PLAUSIBLE_TOKENS
from tidegate.text.strict_json import UNREADABLE

MOST_TEXTS: Final = 250  # in one request; Google refuses more
_FIRST_GEMINI: Final = "gemini-embedding-001"


class _Statistics(Struct, frozen=True):
    token_count: float | None = None  # as in 7.0


class _Vector(Struct):
    values: list[float]
    statistics: _Statistics = _Statistics()


class _Prediction(Struct):
    embeddings: _Vector


class _Answer(Struct):
    predictions: list[_Prediction]


_decode = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


class Embeddings:
    """core.embeddings.Embedder."""

    def encode(self, wanted: Wanted, target: Target) -> Outgoing:
        if len(wanted.texts) > MOST_TEXTS:
            message = f"`input`: at most {MOST_TEXTS} texts at a time"
            raise Refusal("invalid_parameter", message, param="input")
        how: dict[str, Any] = {"autoTruncate": False}
        if wanted.dimensions is not None:
            how["outputDimensionality"] = wanted.dimensions
        name = _vertex_wire.named(target.model)
        path = f"/publishers/google/models/{name}"
        if "gemini" in name and name != _FIRST_GEMINI:
            asked = [
                {"content": {"parts": [{"text": text}]}, "embedContentConfig": how}
                for text in wanted.texts
            ]
            return Outgoing(f"{path}:batchEmbedContents".encode(), _encode({"requests": asked}))
        instances = [{"content": text} for text in wanted.texts]
        body = {"instances": instances, "parameters": how}
        return Outgoing(f"{path}:predict".encode(), _encode(body))

    def read(self, body: bytes) -> Made:
        try:
            answer = _decode(body)
        except UNREADABLE:
            return _gemini_embeddings.read(body)
        found = [one.embeddings for one in answer.predictions]
        return Made([one.values for one in found], _usage_of(found))


def _usage_of(found: list[_Vector]) -> Usage | None:
    counts = [one.statistics.token_count for one in found]
    told = [it for it in counts if it is not None]
    if not told or len(told) < len(counts):
        return None
    tokens = sum(told)
    plausible = min(told) >= 0 and 0 < tokens <= MAX_PLAUSIBLE_TOKENS and tokens == int(tokens)
    return Usage(input_tokens=int(tokens)) if plausible else CONFLICT
