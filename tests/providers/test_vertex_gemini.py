"""Google's models on Vertex AI: paths, classes of service, and what their streams say first."""

from pathlib import Path

import msgspec
import pytest
from tests.dialects.grammar import target
from tests.providers.streams import asked

from tidegate.core.ask import Usage
from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.spoken import Event, Used
from tidegate.providers._vertex_gemini import VertexReader
from tidegate.providers.vertex import plug

BYTES = Path(__file__).resolve().parent.parent / "bytes/vertex"


def said(**more: object) -> Conversation:
    return Conversation([Turn("user", (Text("a"),))], **more)


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-2.5-flash", False, "/publishers/google/models/gemini-2.5-flash:generateContent"),
        (
            "google/gemini-2.5-flash",
            True,
            "/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        ),
        ("endpoints/4711", False, "/endpoints/4711:generateContent"),
    ],
)
def test_the_model_stands_in_the_path(model: str, stream: bool, path: str) -> None:
    to = msgspec.structs.replace(target(), model=model)
    outgoing = plug.encode_conversation(said(), asked(stream=stream), to, False)
    assert outgoing.path.decode() == path
    assert b"serviceTier" not in outgoing.body


@pytest.mark.parametrize(
    ("tier", "headers"),
    [
        ("flex", (("x-vertex-ai-llm-shared-request-type", "flex"),)),
        ("priority", (("x-vertex-ai-llm-shared-request-type", "priority"),)),
        ("default", ()),
    ],
)
def test_a_class_of_service_is_a_header(tier: str, headers: tuple[tuple[str, str], ...]) -> None:
    outgoing = plug.encode_conversation(said(service_tier=tier), asked(), target(), False)
    assert outgoing.headers == headers
    assert set(msgspec.json.decode(outgoing.body)) == {"contents"}


def events_of(stream: bytes) -> tuple[VertexReader, list[Event]]:
    reader = VertexReader(asked())
    return reader, [*reader.feed(stream), *reader.end()]


def test_a_kind_of_traffic_is_no_usage() -> None:
    reader, events = events_of((BYTES / "chat.sse").read_bytes())
    assert reader.finished
    assert [it.usage for it in events if isinstance(it, Used)] == [
        Usage(186, 1024, None, 6, 31),
    ]
    assert reader.service_tier is None


@pytest.mark.parametrize(
    ("traffic", "tier"),
    [("ON_DEMAND_PRIORITY", "priority"), ("ON_DEMAND_FLEX", "flex"), ("ON_DEMAND", None)],
)
def test_the_class_that_served_is_told(traffic: str, tier: str | None) -> None:
    stream = (BYTES / "chat.sse").read_bytes().replace(b"ON_DEMAND", traffic.encode())
    assert events_of(stream)[0].service_tier == tier


def test_a_usage_that_cannot_be_read_is_one_that_contradicts() -> None:
    stream = (BYTES / "chat.sse").read_bytes().replace(b'"ON_DEMAND"', b"7")
    reader, events = events_of(stream)
    assert reader.finished
    assert any(it.usage.conflict for it in events if isinstance(it, Used))


def test_a_whole_answer() -> None:
    spoken = plug.read_spoken(asked(), (BYTES / "chat.json").read_bytes())
    assert spoken.usage == Usage(186, 1024, None, 6, 31)
