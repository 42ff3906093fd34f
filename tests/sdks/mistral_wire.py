"""Mistral's chat as a provider: OpenAI's, with calls' ids of nine signs, content in parts, and no
member that it does not know."""

from typing import Any

import msgspec
from tests.sdks import chat_wire
from tests.sdks.said import CALLS, Heard, Said

from tidegate.providers._mistral_request import call_id

KNOWN = {
    *("model", "messages", "stream", "max_tokens", "temperature", "top_p", "stop", "n", "tools"),
    *("tool_choice", "parallel_tool_calls", "response_format", "random_seed", "reasoning_effort"),
}
_IDS = {call_id(one.id): one.id for one in CALLS}


def heard(path: str, body: Any) -> Heard:
    assert path == "/v1/chat/completions" and body.keys() <= KNOWN
    thoughts: list[str] = []
    documents: list[tuple[str, str]] = []
    for message in body["messages"]:
        assert message.keys() <= {"role", "content", "tool_calls", "tool_call_id"}
        for call in message.get("tool_calls", ()):
            call["id"] = _IDS[call["id"]]
        if "tool_call_id" in message:
            message["tool_call_id"] = _IDS[message["tool_call_id"]]
        if isinstance(message.get("content"), list):
            message["content"] = _rest(message["content"], thoughts, documents)
    if body.get("tool_choice") == "any":
        body["tool_choice"] = "required"
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True}  # it tells it unasked
    told = chat_wire.heard(path, body)
    told.thoughts += thoughts
    told.documents += documents
    return told


def _rest(parts: list[Any], thoughts: list[str], documents: list[tuple[str, str]]) -> list[Any]:
    rest = []
    for part in parts:
        if part["type"] == "thinking":
            thoughts.extend(one["text"] for one in part["thinking"])
        elif part["type"] == "document_url":
            head, _, data = part["document_url"].partition(";base64,")
            documents.append((head.removeprefix("data:"), data))
        else:
            rest.append(part)
    return rest


def _in_parts(told: dict[str, Any]) -> bytes:
    """What was thought, as a part of the content."""
    for choice in told["choices"]:
        message = choice.get("delta", choice.get("message"))
        thought = message.pop("reasoning_content", None)
        if thought:
            parts = [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}]
            if message.get("content"):
                parts.append({"type": "text", "text": message["content"]})
            message["content"] = parts
    return msgspec.json.encode(told)


def whole(said: Said) -> bytes:
    return _in_parts(msgspec.json.decode(chat_wire.whole(said, "reasoning_content")))


def stream(said: Said) -> bytes:
    *events, done, _ = chat_wire.stream(said, "reasoning_content").split(b"\n\n")
    told = [_in_parts(msgspec.json.decode(one.removeprefix(b"data: "))) for one in events]
    return b"".join(b"data: %b\n\n" % one for one in told) + done + b"\n\n"
