"""SiliconFlow: `enable_thinking`. In China `base_url: https://api.siliconflow.cn/v1`."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._media import SPOKEN
from tidegate.providers.openai_compatible import OpenAICompatible


class SiliconFlow(OpenAICompatible):
    base_url = "https://api.siliconflow.com/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings", "rerank", *SPOKEN})
    manners = Manners(
        reasoning="reasoning_content", switch="enable_thinking", effort=False, top_k=True
    )
    one_ceiling = True


plug = SiliconFlow()
