"""Cerebras."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Cerebras(OpenAICompatible):
    base_url = "https://api.cerebras.ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "completions"})
    manners = Manners(ceiling="max_completion_tokens", reasoning="reasoning")


plug = Cerebras()
