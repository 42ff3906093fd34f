"""Vercel's AI Gateway: a model is `MAKER/NAME`."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class VercelAiGateway(OpenAICompatible):
    base_url = "https://ai-gateway.vercel.sh/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    manners = Manners(reasoning="reasoning")
    one_ceiling = True


plug = VercelAiGateway()
