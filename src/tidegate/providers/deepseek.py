"""DeepSeek: what was cached is `prompt_cache_hit_tokens`, answers are any JSON but no schema,
`thinking` says whether to think. Earlier reasoning has to come back where tools are called.

Comments and blank lines keep its connections alive while it is busy.
"""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class DeepSeek(OpenAICompatible):
    base_url = "https://api.deepseek.com/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    manners = Manners(reasoning="reasoning_content", switch="thinking", schemas=False)
    one_ceiling = True


plug = DeepSeek()
