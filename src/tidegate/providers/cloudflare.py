"""Cloudflare's Workers AI, whose address holds the account:
`base_url: https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1`.
"""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Cloudflare(OpenAICompatible):
    base_url = None
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    manners = Manners(reasoning="reasoning_content")
    one_ceiling = True


plug = Cloudflare()
