"""Nebius Token Factory."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class Nebius(OpenAICompatible):
    base_url = "https://api.tokenfactory.nebius.com/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, "images"})
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = Nebius()
