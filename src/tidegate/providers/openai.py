"""OpenAI's own API, chat and Responses."""

from msgspec import structs

from tidegate.core.ask import OPENAI_RESPONSES, Answer, Ask, Outgoing
from tidegate.core.plan import Target
from tidegate.core.plugs import BatchWire, StreamReader
from tidegate.providers import _openai_responses as responses
from tidegate.providers._manners import Manners
from tidegate.providers._openai_responses_forms import stream_of, whole_of
from tidegate.providers._openai_responses_stream import OpenAIResponsesStreamReader
from tidegate.providers.openai_compatible import Anything, Batches, OpenAICompatible


class Responses:
    """core.plugs.Passthrough of callers of Responses."""

    counts_tokens = False

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return responses.encode(ask, target)

    def reader(self, ask: Ask) -> StreamReader:
        return OpenAIResponsesStreamReader(ask)

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        return responses.read_answer(body)

    def across(self, body: bytes, *, streamed: bool) -> bytes | None:
        return whole_of(body) if streamed else stream_of(body)


class OpenAI(OpenAICompatible):
    base_url: str | None = "https://api.openai.com/v1"
    hosted = True
    batches: BatchWire | None = Batches(price_share=0.5)
    endpoints = Anything.endpoints - {"rerank"}
    manners = Manners(ceiling="max_completion_tokens")

    def __init__(self) -> None:
        super().__init__()
        self.passthrough = {**self.passthrough, OPENAI_RESPONSES: Responses()}

    def manners_of(self, target: Target) -> Manners:
        # Models that do not think refuse to be told how hard to.
        return structs.replace(self.manners, effort=target.hides_reasoning)


plug = OpenAI()
