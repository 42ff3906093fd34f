"""Z.AI (Zhipu, GLM): `thinking` says whether to think, how hard is its own to say. In China
`base_url: https://open.bigmodel.cn/api/paas/v4`.
"""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class Zai(OpenAICompatible):
    base_url = "https://api.z.ai/api/paas/v4"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings", "images", "transcriptions"})
    manners = Manners(
        reasoning="reasoning_content", switch="thinking", effort=False, forces_tools=False
    )
    one_ceiling = True


plug = Zai()
