"""Embeddings in OpenAI's shape, where a provider's chat is not."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Outgoing, Usage
from tidegate.core.embeddings import Made, Wanted
from tidegate.core.plan import Target
from tidegate.providers._failures import no_answer
from tidegate.providers._openai_usage import read_usage
from tidegate.providers._usage import CONFLICT
from tidegate.text.strict_json import UNREADABLE

PATH: Final = b"/embeddings"
_NULL: Final = Raw(b"null")


class _Row(Struct):
    embedding: list[float]
    index: int


class _Answer(Struct):
    data: list[_Row]
    model: str | None = None
    usage: Raw = _NULL


_decode = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


class OpenAIEmbeddings:
    """core.embeddings.Embedder. `dimensions` is the member that says how many numbers a vector
    has."""

    def __init__(self, dimensions: str = "dimensions") -> None:
        self._dimensions = dimensions

    def encode(self, wanted: Wanted, target: Target) -> Outgoing:
        body: dict[str, Any] = {"model": target.model, "input": wanted.texts}
        if wanted.dimensions is not None:
            body[self._dimensions] = wanted.dimensions
        return Outgoing(PATH, _encode(body))

    def read(self, body: bytes) -> Made:
        try:
            answer = _decode(body)
        except UNREADABLE:
            raise no_answer() from None
        rows = sorted(answer.data, key=lambda row: row.index)
        if [row.index for row in rows] != list(range(len(rows))):
            raise no_answer()
        return Made([row.embedding for row in rows], _usage(answer.usage), answer.model)


def _usage(raw: Raw) -> Usage | None:
    """Whatever it is: an answer whose usage cannot be read is one all the same."""
    try:
        told = msgspec.json.decode(raw)
    except UNREADABLE:
        return CONFLICT
    return None if told is None else read_usage(told, wants_output=False)
