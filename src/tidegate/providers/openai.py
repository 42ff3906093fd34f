"""OpenAI's own API."""

from msgspec import structs

from tidegate.core.plan import Target
from tidegate.providers._openai_request import Manners
from tidegate.providers.openai_compatible import OpenAICompatible


class OpenAI(OpenAICompatible):
    base_url: str | None = "https://api.openai.com/v1"
    hosted = True
    manners = Manners(ceiling="max_completion_tokens")

    def manners_of(self, target: Target) -> Manners:
        # Models that do not think refuse to be told how hard to.
        return structs.replace(self.manners, effort=target.hides_reasoning)


plug = OpenAI()
