"""Groq: an error in the middle of a stream stands in `x_groq`."""

from tidegate.core.ask import Ask
from tidegate.core.plugs import BatchWire
from tidegate.core.receipt import Endpoint
from tidegate.providers._groq_stream import GroqReader
from tidegate.providers._manners import Manners
from tidegate.providers._media import AUDIO
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers.openai_compatible import Batches, OpenAICompatible


class Groq(OpenAICompatible):
    base_url = "https://api.groq.com/openai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", *AUDIO})
    batches: BatchWire | None = Batches(price_share=0.5)
    manners = Manners(ceiling="max_completion_tokens", reasoning="reasoning")

    def chunks(self, ask: Ask) -> OpenAIStreamReader:
        return GroqReader(ask)


plug = Groq()
