"""Hugging Face's Text Generation Inference: one model a server, any other name is an adapter's.

Its finish reasons beside OpenAI's are `eos_token` and `stop_sequence`.
"""

from tidegate.core.plan import AdapterForm
from tidegate.core.receipt import Endpoint
from tidegate.providers.openai_compatible import OpenAICompatible


class Tgi(OpenAICompatible):
    base_url = "http://127.0.0.1:3000/v1"
    endpoints: frozenset[Endpoint] = frozenset({"chat", "completions"})
    adapters: AdapterForm | None = "model"
    one_ceiling = True


plug = Tgi()
