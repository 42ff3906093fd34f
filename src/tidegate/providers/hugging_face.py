"""Hugging Face's router to many providers: a model is `ORG/NAME`, or `ORG/NAME:PROVIDER`."""

from tidegate.core.receipt import Endpoint
from tidegate.providers.openai_compatible import OpenAICompatible


class HuggingFace(OpenAICompatible):
    base_url = "https://router.huggingface.co/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    one_ceiling = True


plug = HuggingFace()
