"""Voyage's embeddings and rankings; a ranking has words of its own."""

from tidegate.core.ask import MEDIA, Answer, Ask, Outgoing
from tidegate.core.plan import Target
from tidegate.core.receipt import Endpoint
from tidegate.providers._media import Media
from tidegate.providers._rerank import as_voyage, of_voyage
from tidegate.providers.openai_compatible import OpenAICompatible


class _Ranking(Media):
    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return Outgoing(b"/rerank", as_voyage(ask, target))

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        return of_voyage(ask, body)


class Voyage(OpenAICompatible):
    base_url = "https://api.voyageai.com/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"embeddings", "rerank"})

    def __init__(self) -> None:
        super().__init__()
        self.passthrough = {**self.passthrough, MEDIA: _Ranking()}


plug = Voyage()
