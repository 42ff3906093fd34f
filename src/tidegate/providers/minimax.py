"""MiniMax: an error is a number in `base_resp`, with status 200. In China
`base_url: https://api.minimaxi.com/v1`.
"""

from tidegate.core.ask import Answer, Ask
from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._minimax_error import MiniMaxReader, failure_in
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers.openai_compatible import OpenAICompatible


class MiniMax(OpenAICompatible):
    base_url = "https://api.minimax.io/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    manners = Manners(reasoning="reasoning_content", schemas=False)
    one_ceiling = True

    def chunks(self, ask: Ask) -> OpenAIStreamReader:
        return MiniMaxReader(ask)

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        if (failure := failure_in(body)) is not None:
            raise failure
        return super().read_answer(ask, body)


plug = MiniMax()
