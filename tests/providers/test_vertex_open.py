"""Models of other publishers on Vertex AI, in OpenAI's shape."""

import msgspec
import pytest
from tests.dialects.grammar import target
from tests.providers.streams import asked

from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.plan import Target
from tidegate.providers._vertex_open import VertexMistral, VertexOpen

SAID = Conversation([Turn("user", (Text("a"),))])


def at(model: str) -> Target:
    return msgspec.structs.replace(target(), model=model)


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("chat", b"/endpoints/openapi/chat/completions"),
        ("embeddings", b"/endpoints/openapi/embeddings"),
    ],
)
def test_a_hosted_model_is_asked_by_its_whole_name(endpoint: str, path: bytes) -> None:
    outgoing = VertexOpen().encode(asked(endpoint=endpoint), at("meta/llama-3.3-70b"))
    assert outgoing.path == path
    assert msgspec.json.decode(outgoing.body)["model"] == "meta/llama-3.3-70b"


@pytest.mark.parametrize("stream", [False, True])
def test_mistral_has_the_model_in_the_path_too(stream: bool) -> None:
    to, plug = at("mistralai/mistral-small-2503"), VertexMistral()
    outgoing = plug.encode_conversation(SAID, asked(stream=stream), to, False)
    verb = "streamRawPredict" if stream else "rawPredict"
    path = f"/publishers/mistralai/models/mistral-small-2503:{verb}"
    assert outgoing.path.decode() == path
    body = msgspec.json.decode(outgoing.body)
    assert body["model"] == "mistral-small-2503" and "stream_options" not in body
    assert body.get("stream", False) is stream
    assert not plug.passthrough and plug.embedder is None


def test_they_are_paid_for_by_a_token() -> None:
    for plug in (VertexOpen(), VertexMistral()):
        assert plug.hosted
        assert plug.credential_header("ya29.t") == ("authorization", "Bearer ya29.t")
        failure = plug.fault(401, {}, b'[{"error":{"code":401,"message":"m"}}]')
        assert failure.code.name == "upstream_auth"
