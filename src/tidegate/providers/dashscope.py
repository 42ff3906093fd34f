"""Alibaba's Model Studio (Qwen): `enable_thinking` and `thinking_budget`. In China
`base_url: https://dashscope.aliyuncs.com/compatible-mode/v1`.
"""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class DashScope(OpenAICompatible):
    base_url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    manners = Manners(
        reasoning="reasoning_content", switch="enable_thinking", effort=False, top_k=True
    )
    one_ceiling = True


plug = DashScope()
