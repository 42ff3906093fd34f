"""Claude on Vertex AI: what Anthropic's own client sends there, so do we, but for the version of
the wire, which is the one that we read."""

import json
from typing import Any

import anthropic
import msgspec
import pytest
from anthropic import AnthropicVertex
from tests.dialects.grammar import ask_of, target
from tests.providers.streams import asked

from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.plan import Target
from tidegate.providers._vertex_claude import VertexClaude

PLUG = VertexClaude()
MODEL = "claude-sonnet-4-5@20250929"
SAID: dict[str, Any] = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


class Sent(Exception):
    """What the client was about to send."""


def vertex_client() -> AnthropicVertex:
    def note(request: Any) -> Any:
        raise Sent(request.url.path, json.loads(request.content))

    transport = anthropic._base_client.httpx2.MockTransport(note)
    http = anthropic._base_client.httpx2.Client(transport=transport)
    return AnthropicVertex(
        region="europe-west4", project_id="p", access_token="t", http_client=http, max_retries=0
    )


def of_theirs(call: Any) -> tuple[str, Any]:
    with pytest.raises(Exception) as caught:
        call()
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, Sent):
        error = error.__cause__ or error.__context__
    assert isinstance(error, Sent)
    path, body = error.args
    assert body.pop("anthropic_version")
    body["anthropic_version"] = "vertex-2023-10-16"
    return path.removeprefix("/v1/projects/p/locations/europe-west4"), body


def at(model: str = MODEL) -> Target:
    return msgspec.structs.replace(target(), model=model)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [MODEL, f"anthropic/{MODEL}"])
def test_a_message_goes_as_anthropics_client_sends_it(model: str, stream: bool) -> None:
    client = vertex_client()
    path, body = of_theirs(lambda: client.messages.create(model=MODEL, stream=stream, **SAID))
    body.setdefault("stream", False)
    ask = ask_of({"model": "route", **SAID, "stream": stream}, "anthropic_messages", stream=stream)
    ours = PLUG.encode(ask, at(model))
    assert ours.path.decode() == path
    assert msgspec.json.decode(ours.body) == body


def test_tokens_are_counted_as_anthropics_client_asks() -> None:
    client = vertex_client()
    said = {"messages": SAID["messages"]}
    path, body = of_theirs(lambda: client.messages.count_tokens(model=MODEL, **said))
    ask = ask_of({"model": "route", **said}, "anthropic_messages", counts=True)
    ours = PLUG.encode(ask, at(f"anthropic/{MODEL}"))
    assert ours.path.decode() == path
    assert msgspec.json.decode(ours.body) == body


def test_what_is_translated_goes_the_same_way() -> None:
    said = Conversation([Turn("user", (Text("a"),))])
    ours = PLUG.encode_conversation(said, asked(stream=True), at(), False)
    body = msgspec.json.decode(ours.body)
    assert ours.path.endswith(b"/publishers/anthropic/models/%b:streamRawPredict" % MODEL.encode())
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert body["stream"] is True and "model" not in body


def test_a_version_of_the_callers_own_is_not_what_vertex_wants() -> None:
    ask = ask_of({**SAID, "model": "r", "anthropic_version": "2023-06-01"}, "anthropic_messages")
    body = msgspec.json.decode(PLUG.encode(ask, at()).body)
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert PLUG.headers == () and PLUG.base_url is None
