"""Hugging Face's text-embeddings-inference: OpenAI's embeddings below `/v1`, rankings beside it."""

from msgspec import structs

from tidegate.core.ask import Ask, Outgoing
from tidegate.core.plan import Target
from tidegate.core.plugs import Passthrough
from tidegate.core.receipt import Endpoint
from tidegate.providers._rerank import TeiRanking
from tidegate.providers.openai_compatible import OpenAICompatible


class Tei(OpenAICompatible):
    base_url = "http://127.0.0.1:8080"
    endpoints: frozenset[Endpoint] = frozenset({"embeddings", "rerank"})
    media: Passthrough = TeiRanking()

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        outgoing = super().encode(ask, target)
        return structs.replace(outgoing, path=b"/v1" + outgoing.path)


plug = Tei()
