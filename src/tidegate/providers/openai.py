"""OpenAI's own API."""

from tidegate.providers.openai_compatible import OpenAICompatible


class OpenAI(OpenAICompatible):
    base_url = "https://api.openai.com/v1"
    hosted = True
    chat_ceiling = "max_completion_tokens"


plug = OpenAI()
