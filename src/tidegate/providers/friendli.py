"""FriendliAI's serverless endpoints; a dedicated one has a `base_url` of its own."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Friendli(OpenAICompatible):
    base_url = "https://api.friendli.ai/serverless/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "completions"})
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = Friendli()
