"""Fireworks AI: `reasoning_content`, and `top_k`. A model is `accounts/ACCOUNT/models/NAME`."""

from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Fireworks(OpenAICompatible):
    base_url = "https://api.fireworks.ai/inference/v1"
    hosted = True
    manners = Manners(reasoning="reasoning_content", top_k=True)


plug = Fireworks()
