"""OpenRouter: a model is `MAKER/NAME`; a stream that breaks has an error in a chunk of its own.

Its usage is always told, with what it cost there (`cost`), which passes on to callers of chat.
"""

from collections.abc import Mapping

from tidegate.core import clock
from tidegate.core.outcome import Failure
from tidegate.providers._manners import Manners
from tidegate.providers._openrouter_error import fault
from tidegate.providers.openai_compatible import OpenAICompatible


class OpenRouter(OpenAICompatible):
    base_url = "https://openrouter.ai/api/v1"
    hosted = True
    manners = Manners(reasoning="reasoning", top_k=True)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        return fault(status, headers, body, clock.wall_s())


plug = OpenRouter()
