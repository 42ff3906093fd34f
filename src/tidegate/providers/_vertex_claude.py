"""Claude on Vertex AI: Anthropic's Messages, whose model stands in the path and whose version in
the body. Callers of Messages pass through."""

from typing import Final

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.plan import Target
from tidegate.core.plugs import BatchWire
from tidegate.providers._vertex_wire import VertexWire, at, named
from tidegate.providers.anthropic import Anthropic

_VERSION: Final = Raw(b'"vertex-2023-10-16"')
_MODELS: Final = "/publishers/anthropic/models"
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class VertexClaude(VertexWire, Anthropic):
    """core.plugs.Provider, and the Passthrough of Anthropic's callers."""

    base_url: str | None = None
    batches: BatchWire | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return _placed(super().encode(ask, target), ask, target)

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        return _placed(super().encode_conversation(said, ask, target, drop), ask, target)


def _placed(outgoing: Outgoing, ask: Ask, target: Target) -> Outgoing:
    """The same request as Vertex takes it. Whoever counts tokens names the model in the body."""
    members = _members(outgoing.body)
    members["anthropic_version"] = _VERSION
    name = named(target.model)
    if ask.counts:
        members["model"] = Raw(_encode(target.model.rpartition("/")[2]))
        return at(outgoing, f"{_MODELS}/count-tokens:rawPredict", _encode(members))
    members.pop("model", None)
    verb = "streamRawPredict" if ask.stream else "rawPredict"
    return at(outgoing, f"{_MODELS}/{name}:{verb}", _encode(members))
