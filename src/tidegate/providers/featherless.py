"""Featherless AI."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Featherless(OpenAICompatible):
    base_url = "https://api.featherless.ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "completions"})
    manners = Manners(top_k=True)
    one_ceiling = True


plug = Featherless()
