"""Baseten's model APIs; a deployment of your own has a `base_url` of its own."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Baseten(OpenAICompatible):
    base_url = "https://inference.baseten.co/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = Baseten()
