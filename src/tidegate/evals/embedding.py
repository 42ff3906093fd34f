"""Embeddings for graders, asked of a route of the gateway."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.core.grading import Ask, Embedded
from tidegate.evals.asking import Gateway

# Texts that cases expect come again with every side and repeat.
MAX_KEPT: Final = 2000
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Vector(Struct):
    embedding: list[float]
    index: int


class _Vectors(Struct):
    data: list[_Vector]


_decode: Final = msgspec.json.Decoder(_Vectors).decode
_encode: Final = msgspec.json.Encoder().encode


class Embedder:
    """core.grading.Embed of a route. What it was told of a text that is expected, it keeps."""

    def __init__(self, gateway: Gateway, route: str) -> None:
        self._gateway = gateway
        self.route = route
        self._kept: dict[str, Sequence[float]] = {}

    async def embed(self, texts: tuple[str, ...]) -> Embedded:
        """MoneySpent."""
        wanted = [text for text in dict.fromkeys(texts) if text not in self._kept]
        known = {text: self._kept[text] for text in texts if text in self._kept}
        if wanted:
            body = _encode({"model": self.route, "input": wanted, "encoding_format": "float"})
            answered = await self._gateway.ask(body, "embed")
            if answered.output is None:
                return None, answered.failure
            try:
                told = {it.index: it.embedding for it in _decode(answered.output.encode()).data}
            except _UNREADABLE as error:
                return None, f"the answer holds none: {error}"
            if sorted(told) != list(range(len(wanted))):
                return None, f"of {len(wanted)} texts {len(told)} have a vector"
            known |= {text: told[at] for at, text in enumerate(wanted)}
        for text in texts[1:]:  # the first is an answer, which does not come again
            if len(self._kept) < MAX_KEPT:
                self._kept[text] = known[text]
        return [known[text] for text in texts], None


class Means:
    """core.grading.Ask of a run: a judge, embeddings, or both."""

    def __init__(self, judge: Ask | None, embedder: Embedder | None) -> None:
        self._judge = judge
        if embedder is not None:
            self.embed = embedder.embed

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]:
        if self._judge is None:
            return None, "the run has no judge"
        return await self._judge(turns, json_schema)
