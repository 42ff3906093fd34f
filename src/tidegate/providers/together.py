"""Together AI: `reasoning` of its models that think, and `top_k`."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._media import AUDIO
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class Together(OpenAICompatible):
    base_url = "https://api.together.xyz/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, *AUDIO, "images", "rerank"})
    manners = Manners(reasoning="reasoning", top_k=True)


plug = Together()
