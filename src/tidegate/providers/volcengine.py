"""Volcengine's Ark (Doubao): `thinking` says whether to think."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Volcengine(OpenAICompatible):
    base_url = "https://ark.cn-beijing.volces.com/api/v3"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    manners = Manners(reasoning="reasoning_content", switch="thinking")
    one_ceiling = True


plug = Volcengine()
