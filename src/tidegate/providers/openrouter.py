"""OpenRouter: a model is `MAKER/NAME`; a stream that breaks has an error in a chunk of its own.

Its usage is always told, with what it cost there (`cost`), which passes on to callers of chat.
"""

from collections.abc import Mapping

from tidegate.core import clock
from tidegate.core.outcome import Failure
from tidegate.core.plugs import Passthrough
from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._media import SPOKEN, Media
from tidegate.providers._openrouter_error import fault
from tidegate.providers.openai_compatible import PATHS, OpenAICompatible


class OpenRouter(OpenAICompatible):
    base_url = "https://openrouter.ai/api/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({*PATHS, *SPOKEN, "images", "rerank"})
    media: Passthrough = Media({"images": b"/images"})
    manners = Manners(reasoning="reasoning", top_k=True)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        return fault(status, headers, body, clock.wall_s())


plug = OpenRouter()
