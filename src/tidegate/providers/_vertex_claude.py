"""Claude on Vertex AI: Anthropic's Messages, whose model stands in the path and whose version in
the body. Callers of Messages pass through."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.outcome import Failure
from tidegate.core.plan import Target
from tidegate.core.plugs import BatchWire
from tidegate.providers import _vertex_wire
from tidegate.providers.anthropic import Anthropic

_VERSION: Final = Raw(b'"vertex-2023-10-16"')
_MODELS: Final = "/publishers/anthropic/models"
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class VertexClaude(Anthropic):
    """core.plugs.Provider, and the Passthrough of Anthropic's callers."""

    base_url: str | None = None
    batches: BatchWire | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def credential_header(self, secret: str) -> tuple[str, str]:
        return _vertex_wire.credential_header(secret)

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return _placed(super().encode(ask, target), ask, target)

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        return _placed(super().encode_conversation(said, ask, target, drop), ask, target)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        return _vertex_wire.fault(status, headers, body)


def _placed(outgoing: Outgoing, ask: Ask, target: Target) -> Outgoing:
    """The same request as Vertex takes it. Whoever counts tokens names the model in the body."""
    members = _members(outgoing.body)
    members["anthropic_version"] = _VERSION
    name = _vertex_wire.named(target.model)
    if ask.counts:
        members["model"] = Raw(_encode(target.model.rpartition("/")[2]))
        return _vertex_wire.at(outgoing, f"{_MODELS}/count-tokens:rawPredict", _encode(members))
    members.pop("model", None)
    verb = "streamRawPredict" if ask.stream else "rawPredict"
    return _vertex_wire.at(outgoing, f"{_MODELS}/{name}:{verb}", _encode(members))
