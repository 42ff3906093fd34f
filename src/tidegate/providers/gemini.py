"""Google's Generative Language API: `generateContent` and `streamGenerateContent`.

Carried: instructions (one in the middle of a conversation stands with the first ones), text,
images and documents (base64, or an address that Google fetches), tools, parallel and forced calls
and their results, JSON Schemas of arguments and answers, reasoning with its signatures byte for
byte, budgets and efforts, sampling, penalties, stop sequences, seeds, several candidates, service
tiers, and every class of usage.

Not carried, so refused or left out by the route's rule: names of participants, one call at a time,
a document's context, files that another provider keeps, and all that the common middle has no word
for. Left out and named under either rule, because they change no answer: cache marks (Gemini
caches by itself), metadata, the end user, an image's detail, a document's title, and reasoning
that nobody signed or another provider's model did. Of an answer, citations and grounding are not
told; a stop sequence that was met is a stop.
"""

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from tidegate.core import clock
from tidegate.core.ask import Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.embeddings import Embedder, Made, Wanted
from tidegate.core.losses import Losses
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plan import Target
from tidegate.core.plugs import Passthrough, Signer
from tidegate.core.receipt import Endpoint
from tidegate.core.spoken import Spoken
from tidegate.providers import _gemini_embeddings
from tidegate.providers._gemini_error import fault
from tidegate.providers._gemini_request import body_of
from tidegate.providers._gemini_stream import GeminiReader, read_whole

_encode = msgspec.json.Encoder().encode


class Embeddings:
    """core.embeddings.Embedder."""

    def encode(self, wanted: Wanted, target: Target) -> Outgoing:
        if len(wanted.texts) > _gemini_embeddings.MOST_TEXTS:
            message = f"`input`: at most {_gemini_embeddings.MOST_TEXTS} texts at a time"
            raise Refusal("invalid_parameter", message, param="input")
        model = _whole_name(target.model)
        path = f"/{quote(model)}:batchEmbedContents".encode()
        return Outgoing(path, _encode(_gemini_embeddings.body_of(wanted, model)))

    def read(self, body: bytes) -> Made:
        return _gemini_embeddings.read(body)


class Gemini:
    """core.plugs.Provider, of which no caller's dialect passes through."""

    base_url: str | None = "https://generativelanguage.googleapis.com/v1beta"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    passthrough: Mapping[str, Passthrough] = {}
    headers: tuple[tuple[str, str], ...] = ()
    signer: Signer | None = None
    embedder: Embedder | None = Embeddings()

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        losses = Losses(said, "gemini", drop=drop)
        ceiling_tokens = said.ceiling_tokens
        if ask.output_bound_tokens is not None:
            ceiling_tokens = ask.output_bound_tokens
        body = body_of(said, ceiling_tokens, target.model, losses)
        model = _whole_name(target.model)
        asks = "streamGenerateContent?alt=sse" if ask.stream else "generateContent"
        path = f"/{quote(model)}:{asks}".encode()
        return Outgoing(path, _encode(body), dropped=tuple(losses.names))

    def credential_header(self, secret: str) -> tuple[str, str]:
        return "x-goog-api-key", secret

    def spoken_reader(self, ask: Ask) -> GeminiReader:
        return GeminiReader(ask)

    def read_spoken(self, ask: Ask, body: bytes) -> Spoken:
        return read_whole(ask, body)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        return fault(status, headers, body, clock.wall_s())


def _whole_name(model: str) -> str:
    """As it stands in a path: models that the account has tuned have a collection of their own."""
    return model if "/" in model else f"models/{model}"


plug = Gemini()
