"""Novita AI."""

from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Novita(OpenAICompatible):
    base_url = "https://api.novita.ai/openai/v1"
    hosted = True
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = Novita()
