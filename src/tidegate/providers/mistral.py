"""Mistral's own API: members that it does not know are refused, content may come in parts.

Carried: texts, images, documents, tools and their results (ids become nine letters and digits),
JSON Schemas, what Magistral thought (without its signature), efforts, seeds, several choices,
metadata and Mistral's own members. A stream's usage comes unasked. Not carried, so refused or left
out by the route's rule: names of participants and all that the common middle has no word for. Left
out and named: the end user, cache marks. Of an answer, references are not told.
"""

from tidegate.core.ask import MEDIA
from tidegate.core.conversation import Conversation
from tidegate.core.embeddings import Embedder
from tidegate.core.losses import Losses
from tidegate.core.plan import Target
from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._mistral_request import OWN, MistralWriter
from tidegate.providers._openai_embeddings import OpenAIEmbeddings
from tidegate.providers._parts import InParts


class Mistral(InParts):
    base_url = "https://api.mistral.ai/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset(
        {"chat", "embeddings", "moderations", "transcriptions"}
    )
    embedder: Embedder | None = OpenAIEmbeddings("output_dimension")
    manners = Manners(
        reasoning="content",
        top_k=True,
        must_call="any",
        seed="random_seed",
        end_users=False,
        names=False,
        metadata=True,
    )
    asks_for_usage = False
    own_members = OWN
    api = "mistral"

    def __init__(self) -> None:
        self.passthrough = {MEDIA: self.media}

    def writer(self, said: Conversation, target: Target, losses: Losses) -> MistralWriter:
        return MistralWriter(said, self.manners_of(target), losses)


plug = Mistral()
