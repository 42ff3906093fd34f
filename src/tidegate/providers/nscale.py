"""Nscale."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Nscale(OpenAICompatible):
    base_url = "https://inference.api.nscale.com/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings", "images"})
    manners = Manners(reasoning="reasoning_content")
    one_ceiling = True


plug = Nscale()
