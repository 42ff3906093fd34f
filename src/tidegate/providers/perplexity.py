"""Perplexity: every chunk carries the usage so far, and what was searched (`citations`).

Where its search counts tokens of its own (`citation_tokens`), those are in no class here.
"""

from tidegate.core.ask import Ask
from tidegate.core.receipt import Endpoint
from tidegate.providers._each_usage import LastUsageReader
from tidegate.providers._manners import Manners
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers.openai_compatible import OpenAICompatible


class Perplexity(OpenAICompatible):
    base_url = "https://api.perplexity.ai"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    manners = Manners(top_k=True)
    one_ceiling = True

    def chunks(self, ask: Ask) -> OpenAIStreamReader:
        return LastUsageReader(ask)


plug = Perplexity()
