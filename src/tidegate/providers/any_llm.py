"""Providers that Tidegate does not speak itself, by the package any-llm-sdk.

They are asked by a process beside the gateways (`tidegate.beside.any_llm`), which `tidegate up`
starts where a plan names this kind; to the gateway it is one more server of OpenAI's chat. A
target's model is `PROVIDER:MODEL`. The provider's header `x-any-llm-api-base` says where a provider
is asked that is not at its usual address.
"""

from tidegate.core.receipt import Endpoint
from tidegate.providers.openai_compatible import OpenAICompatible


class AnyLlm(OpenAICompatible):
    base_url = "http://127.0.0.1:4011/v1"
    hosted = True
    model_form = "PROVIDER:MODEL"
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})


plug = AnyLlm()
