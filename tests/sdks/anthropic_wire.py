"""Anthropic's Messages as a provider: reads requests, writes answers. All that it writes is held
against the official client's types."""

from typing import Any

import msgspec
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter
from tests.sdks.said import Call, Heard, Said, Tokens, pieces

_event: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
FINISHES = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}


def heard(path: str, body: Any) -> Heard:
    told = Heard(body.get("model"), body.get("stream") is True, body.get("max_tokens"))
    _hear(body.get("system") or [], told, told.instructions, {})
    names: dict[str, str] = {}
    for message in body["messages"]:
        _hear(message["content"], told, told.texts, names)
    for tool in body.get("tools", ()):
        told.tools[tool["name"]] = tool["input_schema"]
    choice = body.get("tool_choice", {})
    told.must_call, told.named = choice.get("type") == "any", choice.get("name")
    config = body.get("output_config") or {}
    if config.get("format"):
        told.form = config["format"]["schema"]
    told.stops = body.get("stop_sequences", [])
    thinking = body.get("thinking") or {}
    told.thinks = thinking.get("type") in ("enabled", "adaptive")
    if "budget_tokens" in thinking:
        assert 1_024 <= thinking["budget_tokens"] < body["max_tokens"]
    return told


def _hear(content: Any, told: Heard, texts: list[str], names: dict[str, str]) -> None:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for block in blocks:
        kind = block["type"]
        told.cache_marks += "cache_control" in block
        if kind == "text":
            texts.append(block["text"])
        elif kind in ("image", "document"):
            source = block["source"]
            found = told.images if kind == "image" else told.documents
            if source["type"] == "base64":
                found.append((source["media_type"], source["data"]))
            else:
                found.append((source["type"], source["url"]))
        elif kind == "tool_use":
            names[block["id"]] = block["name"]
            told.calls.append(Call(block["id"], block["name"], block["input"]))
        elif kind == "tool_result":
            inner = block["content"]
            text = inner if isinstance(inner, str) else "".join(one["text"] for one in inner)
            told.results.append((names[block["tool_use_id"]], text))
        else:
            assert kind == "thinking"
            told.thoughts.append(block["thinking"])
            told.signatures.append(block["signature"])


def _usage(tokens: Tokens) -> dict[str, Any]:
    usage: dict[str, Any] = {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.written,
        "cache_read_input_tokens": tokens.cached,
        "output_tokens": tokens.output + (tokens.reasoning or 0),
    }
    if tokens.reasoning is not None:
        usage["output_tokens_details"] = {"thinking_tokens": tokens.reasoning}
    return usage


def _blocks(said: Said) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if said.thought:
        block = {"type": "thinking", "thinking": said.thought, "signature": said.signature}
        blocks.append(block)
    if said.text:
        blocks.append({"type": "text", "text": said.text})
    for call in said.calls:
        told = {"id": call.id, "name": call.name, "input": call.arguments}
        blocks.append({"type": "tool_use", **told})
    return blocks


def _message(said: Said, **members: Any) -> dict[str, Any]:
    told = {
        "id": "msg_up",
        "type": "message",
        "role": "assistant",
        "model": "served",
        "content": _blocks(said),
        "stop_reason": FINISHES[said.finish],
        "stop_sequence": None,
        "usage": _usage(said.tokens),
        **members,
    }
    Message.model_validate(told)
    return told


def whole(said: Said) -> bytes:
    return msgspec.json.encode(_message(said))


def _grows(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a block begins, and what it goes on with."""
    if block["type"] == "text":
        return {**block, "text": ""}, [
            {"type": "text_delta", "text": piece} for piece in pieces(block["text"])
        ]
    if block["type"] == "tool_use":
        arguments = msgspec.json.encode(block["input"]).decode()
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": piece} for piece in pieces(arguments)
        ]
    deltas = [{"type": "thinking_delta", "thinking": one} for one in pieces(block["thinking"])]
    deltas.append({"type": "signature_delta", "signature": block["signature"]})
    return {**block, "thinking": "", "signature": ""}, deltas


def stream(said: Said) -> bytes:
    begun = {**_usage(said.tokens), "output_tokens": 1}
    message = _message(said, content=[], stop_reason=None, usage=begun)
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    for index, block in enumerate(_blocks(said)):
        empty, deltas = _grows(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": one} for one in deltas]
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": FINISHES[said.finish], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": end, "usage": _usage(said.tokens)})
    events.append({"type": "message_stop"})
    sent = []
    for event in events:
        _event.validate_python(event)
        name, data = event["type"].encode(), msgspec.json.encode(event)
        sent.append(b"event: %b\ndata: %b\n\n" % (name, data))
    return b"".join(sent)
