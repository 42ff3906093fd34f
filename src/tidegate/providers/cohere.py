"""Cohere's own API: `/v2/chat`, `/v2/embed`, `/v2/rerank` and `/v2/audio/transcriptions`.

Carried: instructions, texts, images, tools with calls, their results and the plan before them,
schemas of answers and arguments, reasoning and its budget, sampling within Cohere's ranges, stop
sequences, seeds. A named tool is the only one that is sent, and some must be called. Not carried,
so refused or left out by the route's rule: `n`, one call at a time, files, names of participants,
a form of the answer together with tools, and all that the common middle has no word for. Left out
and named: cache marks, metadata, the end user. Of an answer, citations are not told.
"""

from collections.abc import Mapping

import msgspec

from tidegate.core import clock
from tidegate.core.ask import MEDIA, Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.embeddings import Embedder
from tidegate.core.losses import Losses
from tidegate.core.outcome import Failure
from tidegate.core.plan import Target
from tidegate.core.plugs import Passthrough, Signer
from tidegate.core.receipt import Endpoint
from tidegate.core.spoken import Spoken
from tidegate.providers._cohere_embeddings import CohereEmbeddings
from tidegate.providers._cohere_request import CohereWriter
from tidegate.providers._cohere_stream import CohereReader, read_whole
from tidegate.providers._openai_error import failure_of
from tidegate.providers._rerank import CohereRanking

_BAD_TOKEN = 498
_encode = msgspec.json.Encoder().encode


class Cohere:
    """core.plugs.Provider, of which no caller's chat passes through."""

    base_url: str | None = "https://api.cohere.com/v2"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings", "rerank", "transcriptions"})
    passthrough: Mapping[str, Passthrough] = {MEDIA: CohereRanking()}
    headers: tuple[tuple[str, str], ...] = ()
    signer: Signer | None = None
    embedder: Embedder | None = CohereEmbeddings()

    def credential_header(self, secret: str) -> tuple[str, str]:
        return "authorization", f"Bearer {secret}"

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        losses = Losses(said, "cohere", drop=drop)
        body = CohereWriter(said, losses).body(target.model, ask.output_bound_tokens)
        body["stream"] = ask.stream
        return Outgoing(b"/chat", _encode(body), dropped=tuple(losses.names))

    def spoken_reader(self, ask: Ask) -> CohereReader:
        return CohereReader(ask)

    def read_spoken(self, ask: Ask, body: bytes) -> Spoken:
        return read_whole(body)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        known = 401 if status == _BAD_TOKEN else status
        return failure_of(known, headers, body, clock.wall_s())


plug = Cohere()
