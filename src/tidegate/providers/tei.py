"""Hugging Face's text-embeddings-inference: OpenAI's embeddings below `/v1`, rankings beside it."""

from msgspec import structs

from tidegate.core.ask import MEDIA, Answer, Ask, Outgoing
from tidegate.core.plan import Target
from tidegate.core.receipt import Endpoint
from tidegate.providers._media import Media
from tidegate.providers._rerank import as_tei, of_tei
from tidegate.providers.openai_compatible import OpenAICompatible


class _Ranking(Media):
    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return Outgoing(b"/rerank", as_tei(ask))

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        return of_tei(ask, body)


class Tei(OpenAICompatible):
    base_url = "http://127.0.0.1:8080"
    endpoints: frozenset[Endpoint] = frozenset({"embeddings", "rerank"})

    def __init__(self) -> None:
        super().__init__()
        self.passthrough = {**self.passthrough, MEDIA: _Ranking()}

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        outgoing = super().encode(ask, target)
        return structs.replace(outgoing, path=b"/v1" + outgoing.path)


plug = Tei()
