"""Models of other publishers on Vertex AI: those that it hosts as a service, by its own endpoint
for OpenAI's clients, and Mistral's in Mistral's wire, by the way that publishers have."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.embeddings import Embedder
from tidegate.core.plan import Target
from tidegate.core.plugs import Passthrough
from tidegate.core.receipt import OPENAI_CHAT, Endpoint
from tidegate.providers._vertex_wire import VertexWire, at, named
from tidegate.providers.mistral import Mistral
from tidegate.providers.openai_compatible import OpenAICompatible

_OPEN: Final = "/endpoints/openapi"
_MISTRAL: Final = "/publishers/mistralai/models"
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class VertexOpen(VertexWire, OpenAICompatible):
    """core.plugs.Provider, and the Passthrough of callers of OpenAI's chat."""

    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})

    def __init__(self) -> None:
        self.passthrough: Mapping[str, Passthrough] = {OPENAI_CHAT: self}

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return _opened(super().encode(ask, target))

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        return _opened(super().encode_conversation(said, ask, target, drop))


def _opened(outgoing: Outgoing) -> Outgoing:
    return at(outgoing, f"{_OPEN}{outgoing.path.decode()}", outgoing.body)


class VertexMistral(VertexWire, Mistral):
    """core.plugs.Provider."""

    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    embedder: Embedder | None = None

    def __init__(self) -> None:
        self.passthrough = {}

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        outgoing = super().encode_conversation(said, ask, target, drop)
        members = _members(outgoing.body)
        members["model"] = Raw(_encode(target.model.rpartition("/")[2]))
        verb = "streamRawPredict" if ask.stream else "rawPredict"
        path = f"{_MISTRAL}/{named(target.model)}:{verb}"
        return at(outgoing, path, _encode(members))
