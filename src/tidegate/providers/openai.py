"""OpenAI's own API, chat and Responses."""

from msgspec import structs

from tidegate.core.ask import OPENAI_RESPONSES, Answer, Ask, Outgoing
from tidegate.core.plan import Target
from tidegate.core.plugs import StreamReader
from tidegate.providers import _openai_responses as responses
from tidegate.providers._openai_request import Manners
from tidegate.providers._openai_responses_stream import OpenAIResponsesStreamReader
from tidegate.providers.openai_compatible import OpenAICompatible


class OpenAI(OpenAICompatible):
    base_url: str | None = "https://api.openai.com/v1"
    hosted = True
    dialects = frozenset({"openai_chat", OPENAI_RESPONSES})
    manners = Manners(ceiling="max_completion_tokens")

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        if self._is_responses(ask):
            return responses.encode(ask, target)
        return super().encode(ask, target)

    def reader(self, ask: Ask) -> StreamReader:
        return OpenAIResponsesStreamReader(ask) if self._is_responses(ask) else super().reader(ask)

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        if self._is_responses(ask):
            return responses.read_answer(body)
        return super().read_answer(ask, body)

    def _is_responses(self, ask: Ask) -> bool:
        return ask.dialect == OPENAI_RESPONSES and OPENAI_RESPONSES in self.dialects

    def manners_of(self, target: Target) -> Manners:
        # Models that do not think refuse to be told how hard to.
        return structs.replace(self.manners, effort=target.hides_reasoning)


plug = OpenAI()
