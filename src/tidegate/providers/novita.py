"""Novita AI."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class Novita(OpenAICompatible):
    base_url = "https://api.novita.ai/openai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, "rerank"})
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = Novita()
