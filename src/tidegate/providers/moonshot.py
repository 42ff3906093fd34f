"""Moonshot AI (Kimi): what was cached is `cached_tokens`, and no tool can be forced. In China
`base_url: https://api.moonshot.cn/v1`.
"""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Moonshot(OpenAICompatible):
    base_url = "https://api.moonshot.ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    manners = Manners(reasoning="reasoning_content", switch="thinking", forces_tools=False)
    one_ceiling = True


plug = Moonshot()
