"""SambaNova Cloud."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class SambaNova(OpenAICompatible):
    base_url = "https://api.sambanova.ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    manners = Manners(reasoning="reasoning", top_k=True)
    one_ceiling = True


plug = SambaNova()
