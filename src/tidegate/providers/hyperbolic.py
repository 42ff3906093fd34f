"""Hyperbolic."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Hyperbolic(OpenAICompatible):
    base_url = "https://api.hyperbolic.xyz/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "completions"})
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = Hyperbolic()
