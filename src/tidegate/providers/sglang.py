"""SGLang: every chunk carries the usage so far. An adapter is named behind its model: `MODEL:NAME`.

What was cached is told where the server runs with `--enable-cache-report`."""

from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.plan import AdapterForm
from tidegate.core.plugs import Passthrough
from tidegate.core.receipt import Endpoint
from tidegate.providers._each_usage import EachUsageReader
from tidegate.providers._manners import Manners
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers._rerank import ListRanking
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class Sglang(OpenAICompatible):
    base_url = "http://127.0.0.1:30000/v1"
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, "rerank", "transcriptions"})
    media: Passthrough = ListRanking()
    stream_options = (("continuous_usage_stats", Raw(b"true")),)
    adapters: AdapterForm | None = "suffix"
    manners = Manners(reasoning="reasoning_content", top_k=True)

    def chunks(self, ask: Ask) -> OpenAIStreamReader:
        return EachUsageReader(ask)


plug = Sglang()
