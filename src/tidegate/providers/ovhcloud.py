"""OVHcloud AI Endpoints."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class OvhCloud(OpenAICompatible):
    base_url = "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings", "transcriptions"})
    manners = Manners(reasoning="reasoning")
    one_ceiling = True


plug = OvhCloud()
