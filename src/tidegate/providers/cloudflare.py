"""Cloudflare's Workers AI, whose address holds the account."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Cloudflare(OpenAICompatible):
    base_url = None
    address_form = "https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    manners = Manners(reasoning="reasoning_content")
    one_ceiling = True


plug = Cloudflare()
