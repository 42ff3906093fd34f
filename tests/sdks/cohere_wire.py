"""Cohere's `/v2/chat` as a provider: reads requests, writes answers."""

from typing import Any

import msgspec
from tests.sdks.said import Call, Heard, Said, Tokens, pieces

KNOWN = {
    *("model", "messages", "stream", "max_tokens", "temperature", "p", "k", "stop_sequences"),
    *("tools", "tool_choice", "strict_tools", "response_format", "thinking", "seed"),
}


def heard(path: str, body: Any) -> Heard:
    assert path == "/v2/chat" and body.keys() <= KNOWN
    told = Heard(body["model"], body["stream"], body.get("max_tokens"))
    names: dict[str, str] = {}
    for message in body["messages"]:
        _hear(message, told, names)
    for tool in body.get("tools", ()):
        told.tools[tool["function"]["name"]] = tool["function"]["parameters"]
    told.must_call = body.get("tool_choice") == "REQUIRED"
    form = body.get("response_format")
    if form is not None:
        assert form["type"] == "json_object"
        told.form = form.get("json_schema")
        told.any_json = told.form is None
    told.thinks = body.get("thinking", {}).get("type") == "enabled"
    told.stops = body.get("stop_sequences", [])
    return told


def _hear(message: Any, told: Heard, names: dict[str, str]) -> None:
    role, content = message["role"], message.get("content")
    if role == "tool":
        told.results.append((names[message["tool_call_id"]], content))
        return
    texts = told.instructions if role == "system" else told.texts
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
        if part["type"] == "text":
            texts.append(part["text"])
        elif part["type"] == "thinking":
            told.thoughts.append(part["thinking"])
        else:
            told.images.append(_data(part["image_url"]["url"]))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        names[call["id"]] = function["name"]
        arguments = msgspec.json.decode(function["arguments"])
        told.calls.append(Call(call["id"], function["name"], arguments))


def _data(url: str) -> tuple[str, str]:
    if not url.startswith("data:"):
        return "url", url
    head, _, data = url.partition(";base64,")
    return head.removeprefix("data:"), data


FINISHES = {"stop": "COMPLETE", "tool_calls": "TOOL_CALL", "length": "MAX_TOKENS"}


def _usage(tokens: Tokens) -> dict[str, Any]:
    billed = {
        "input_tokens": tokens.input + tokens.cached,
        "output_tokens": float(tokens.output + (tokens.reasoning or 0)),
    }
    read = {name: count + 200 for name, count in billed.items()}
    return {"billed_units": billed, "tokens": read, "cached_tokens": tokens.cached}


def _function(call: Call) -> dict[str, Any]:
    return {"name": call.name, "arguments": msgspec.json.encode(call.arguments).decode()}


def whole(said: Said) -> bytes:
    content = [{"type": "thinking", "thinking": said.thought}] if said.thought else []
    content += [{"type": "text", "text": said.text}] if said.text else []
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if said.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": _function(call)} for call in said.calls
        ]
    told = {"id": "up", "message": message, "finish_reason": FINISHES[said.finish]}
    return msgspec.json.encode({**told, "usage": _usage(said.tokens)})


def stream(said: Said) -> bytes:
    steps: list[dict[str, Any]] = [{"type": "message-start", "id": "up"}]
    for name, text in (("thinking", said.thought), ("text", said.text)):
        if text:
            steps.append(_told("content-start", content={"type": name, name: ""}))
            steps += [_told("content-delta", content={name: piece}) for piece in pieces(text)]
            steps.append(_told("content-end"))
    for call in said.calls:
        function = _function(call)
        begun = {"id": call.id, "type": "function", "function": {**function, "arguments": ""}}
        steps.append(_told("tool-call-start", tool_calls=begun))
        for piece in pieces(function["arguments"]):
            steps.append(_told("tool-call-delta", tool_calls={"function": {"arguments": piece}}))
        steps.append(_told("tool-call-end"))
    ended = {"finish_reason": FINISHES[said.finish], "usage": _usage(said.tokens)}
    steps.append({"type": "message-end", "delta": ended})
    events = [f"event: {one['type']}\ndata: ".encode() + msgspec.json.encode(one) for one in steps]
    return b"".join(one + b"\n\n" for one in (*events, b"data: [DONE]"))


def _told(kind: str, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": 0, "delta": {"message": message}}
