"""Voyage's embeddings and rankings; a ranking has words of its own."""

from tidegate.core.plugs import Passthrough
from tidegate.core.receipt import Endpoint
from tidegate.providers._rerank import VoyageRanking
from tidegate.providers.openai_compatible import OpenAICompatible


class Voyage(OpenAICompatible):
    base_url = "https://api.voyageai.com/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"embeddings", "rerank"})
    media: Passthrough = VoyageRanking()


plug = Voyage()
