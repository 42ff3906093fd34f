"""Fireworks AI: `reasoning_content`, and `top_k`. A model is `accounts/ACCOUNT/models/NAME`.

Its audio has addresses of its own, for which `openai_compatible` does.
"""

from tidegate.core.plugs import Passthrough
from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._rerank import DataRanking
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class Fireworks(OpenAICompatible):
    base_url = "https://api.fireworks.ai/inference/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, "rerank"})
    media: Passthrough = DataRanking()
    manners = Manners(reasoning="reasoning_content", top_k=True)


plug = Fireworks()
