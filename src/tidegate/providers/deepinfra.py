"""DeepInfra."""

from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class DeepInfra(OpenAICompatible):
    base_url = "https://api.deepinfra.com/v1/openai"
    hosted = True
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = DeepInfra()
