"""xAI: reasoning tokens stand beside `completion_tokens`, an error is a text beside its code."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class XAI(OpenAICompatible):
    base_url = "https://api.x.ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "images"})
    manners = Manners(ceiling="max_completion_tokens", reasoning="reasoning_content")


plug = XAI()
