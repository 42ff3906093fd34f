"""LM Studio's local server."""

from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class LmStudio(OpenAICompatible):
    base_url = "http://127.0.0.1:1234/v1"
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = LmStudio()
