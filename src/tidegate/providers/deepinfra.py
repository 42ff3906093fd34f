"""DeepInfra."""

from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._media import AUDIO, IMAGES
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class DeepInfra(OpenAICompatible):
    base_url = "https://api.deepinfra.com/v1/openai"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, *IMAGES, *AUDIO})
    manners = Manners(reasoning="reasoning_content", top_k=True)
    one_ceiling = True


plug = DeepInfra()
