"""NVIDIA NIM, hosted at build.nvidia.com or run in house (`base_url: http://HOST:8000/v1`)."""

from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class NvidiaNim(OpenAICompatible):
    base_url = "https://integrate.api.nvidia.com/v1"
    hosted = True
    manners = Manners(reasoning="reasoning_content")


plug = NvidiaNim()
