"""Ollama: which tool is to be called cannot be said, images come with their bytes."""

from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Ollama(OpenAICompatible):
    base_url = "http://127.0.0.1:11434/v1"
    manners = Manners(reasoning="reasoning", forces_tools=False)
    one_ceiling = True


plug = Ollama()
