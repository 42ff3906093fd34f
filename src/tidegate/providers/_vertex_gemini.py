"""Google's models on Vertex AI: Gemini's wire, at other paths.

A class of service is said by a header there. Streams tell what kind of traffic they are before they
tell any token.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct, structs

from tidegate.core.ask import Ask, Outgoing, Usage
from tidegate.core.conversation import Conversation
from tidegate.core.embeddings import Embedder
from tidegate.core.plan import Target
from tidegate.core.spoken import Spoken
from tidegate.providers._gemini_stream import GeminiReader, whole_of
from tidegate.providers._vertex_embeddings import Embeddings
from tidegate.providers._vertex_wire import VertexWire, at, named
from tidegate.providers.gemini import Gemini
from tidegate.text.strict_json import UNREADABLE

_TIER_HEADER: Final = "x-vertex-ai-llm-shared-request-type"
_TIERS: Final = {"ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"}
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class _Traffic(Struct, rename="camel"):
    traffic_type: str | None = None
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None


_decode_traffic = msgspec.json.Decoder(_Traffic).decode


class VertexReader(GeminiReader):
    """core.plugs.SpokenReader."""

    __slots__ = ("service_tier",)

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self.service_tier: str | None = None

    def _used(self, told: Raw) -> Usage | None:
        try:
            traffic = _decode_traffic(told)
        except UNREADABLE:
            return super()._used(told)
        self.service_tier = _TIERS.get(traffic.traffic_type or "", self.service_tier)
        is_count = traffic.prompt_token_count is not None
        if traffic.traffic_type and not is_count and traffic.candidates_token_count is None:
            return None
        return super()._used(told)


class VertexGemini(VertexWire, Gemini):
    """core.plugs.Provider."""

    base_url: str | None = None
    embedder: Embedder | None = Embeddings()

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        outgoing = super().encode_conversation(said, ask, target, drop)
        asks = "streamGenerateContent?alt=sse" if ask.stream else "generateContent"
        outgoing = at(outgoing, f"{place_of(target.model)}:{asks}", outgoing.body)
        if said.service_tier is None:
            return outgoing
        members = _members(outgoing.body)
        tier = bytes(members.pop("serviceTier", b"")).decode().strip('"')
        headers = ((_TIER_HEADER, tier),) if tier in _TIERS.values() else ()
        return structs.replace(outgoing, body=_encode(members), headers=headers)

    def spoken_reader(self, ask: Ask) -> GeminiReader:
        return VertexReader(ask)

    def read_spoken(self, ask: Ask, body: bytes) -> Spoken:
        return whole_of(VertexReader(ask), body)


def place_of(model: str) -> str:
    """Where one of Google's models is asked, or one that the account has tuned."""
    name = named(model)
    if model.startswith("endpoints/"):
        return f"/endpoints/{name}"
    return f"/publishers/google/models/{name}"
