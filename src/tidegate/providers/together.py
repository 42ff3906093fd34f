"""Together AI: `reasoning` of its models that think, and `top_k`."""

from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Together(OpenAICompatible):
    base_url = "https://api.together.xyz/v1"
    hosted = True
    manners = Manners(reasoning="reasoning", top_k=True)


plug = Together()
