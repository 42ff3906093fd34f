"""Cohere's ranking, `/v2/rerank`: the one shape as it is, but for documents that are no texts."""

from typing import Any, Final

import msgspec

from tidegate.core.ask import Ask, Outgoing
from tidegate.core.plan import Target
from tidegate.providers._media import Media
from tidegate.providers._rerank import read_wanted

_encode: Final = msgspec.json.Encoder().encode
_TAKEN: Final = ("top_n", "max_tokens_per_doc", "priority")


class CohereRerank(Media):
    """core.plugs.Passthrough of rankings; `path` is below the replica's own."""

    def __init__(self, path: bytes = b"/rerank") -> None:
        self._path = path

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        wanted, texts = read_wanted(ask)
        body: dict[str, Any] = {
            "model": target.model,
            "query": wanted.query,
            "documents": texts,
            **{name: ask.members[name] for name in _TAKEN if name in ask.members},
        }
        return Outgoing(self._path, _encode(body))
