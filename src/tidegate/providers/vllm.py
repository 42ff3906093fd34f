"""vLLM: every chunk carries the usage so far, so a cut stream is charged exactly."""

from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.plan import AdapterForm
from tidegate.core.receipt import Endpoint
from tidegate.providers._each_usage import EachUsageReader
from tidegate.providers._manners import Manners
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class Vllm(OpenAICompatible):
    base_url = "http://127.0.0.1:8000/v1"
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, "rerank", "transcriptions", "translations"})
    stream_options = (("continuous_usage_stats", Raw(b"true")),)
    adapters: AdapterForm | None = "model"
    manners = Manners(reasoning="reasoning", top_k=True)

    def chunks(self, ask: Ask) -> OpenAIStreamReader:
        return EachUsageReader(ask)


plug = Vllm()
