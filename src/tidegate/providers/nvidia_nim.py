"""NVIDIA NIM, hosted at build.nvidia.com or run in house (`base_url: http://HOST:8000/v1`).

Hosted rankings are at `base_url: https://ai.api.nvidia.com/v1`.
"""

from tidegate.core.plugs import Passthrough
from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._rerank import NimRanking
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class NvidiaNim(OpenAICompatible):
    base_url = "https://integrate.api.nvidia.com/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, "rerank"})
    media: Passthrough = NimRanking()
    manners = Manners(reasoning="reasoning_content")


plug = NvidiaNim()
