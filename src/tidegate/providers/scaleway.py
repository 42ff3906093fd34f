"""Scaleway's Generative APIs."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Scaleway(OpenAICompatible):
    base_url = "https://api.scaleway.ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings", "rerank", "transcriptions"})
    manners = Manners(reasoning="reasoning_content")
    one_ceiling = True


plug = Scaleway()
