"""Jina's embeddings and rankings."""

from tidegate.core.receipt import Endpoint
from tidegate.providers.openai_compatible import OpenAICompatible


class Jina(OpenAICompatible):
    base_url = "https://api.jina.ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"embeddings", "rerank"})


plug = Jina()
