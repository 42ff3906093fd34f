"""Fireworks AI: `reasoning_content`, and `top_k`. A model is `accounts/ACCOUNT/models/NAME`."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class Fireworks(OpenAICompatible):
    base_url = "https://api.fireworks.ai/inference/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, "rerank"})
    manners = Manners(reasoning="reasoning_content", top_k=True)


plug = Fireworks()
