"""Bedrock's Converse as a provider: reads requests, writes answers. Both are held against AWS's
own model of the wire, and each request's signature is reckoned again."""

from typing import Any
from urllib.parse import unquote

import msgspec
from tests.providers.bedrock_wire import operation, problems, read_by_botocore
from tests.sdks.said import Call, Heard, Said, Tokens, pieces
from tests.text.frames import told as frame

FINISHES = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}
_IMAGES = {"png": "image/png"}
_DOCUMENTS = {"pdf": "application/pdf"}


def heard(path: str, body: Any) -> Heard:
    _, _, model, verb = path.split("/")
    streams = verb == "converse-stream"
    assert problems(operation("ConverseStream" if streams else "Converse").input_shape, body) == []
    limits = body.get("inferenceConfig", {})
    told = Heard(unquote(model), streams, limits.get("maxTokens"))
    told.instructions = [one["text"] for one in body.get("system", ()) if "text" in one]
    told.stops = limits.get("stopSequences", [])
    names: dict[str, str] = {}
    for message in body["messages"]:
        for block in message["content"]:
            _hear(block, told, names)
    config = body.get("toolConfig", {})
    for tool in config.get("tools", ()):
        told.tools[tool["toolSpec"]["name"]] = tool["toolSpec"]["inputSchema"]["json"]
    choice = config.get("toolChoice", {})
    told.must_call, told.named = "any" in choice, choice.get("tool", {}).get("name")
    form = body.get("outputConfig", {}).get("textFormat")
    if form is not None:
        told.form = msgspec.json.decode(form["structure"]["jsonSchema"]["schema"])
    own = body.get("additionalModelRequestFields", {})
    told.thinks = own.get("thinking", {}).get("type") in ("enabled", "adaptive")
    return told


def _hear(block: Any, told: Heard, names: dict[str, str]) -> None:
    [(kind, value)] = block.items()
    if kind == "cachePoint":
        told.cache_marks += 1
    elif kind == "text":
        told.texts.append(value)
    elif kind == "image":
        told.images.append((_IMAGES[value["format"]], value["source"]["bytes"]))
    elif kind == "document":
        told.documents.append((_DOCUMENTS[value["format"]], value["source"]["bytes"]))
    elif kind == "toolUse":
        names[value["toolUseId"]] = value["name"]
        told.calls.append(Call(value["toolUseId"], value["name"], value["input"]))
    elif kind == "toolResult":
        text = "".join(one["text"] for one in value["content"])
        told.results.append((names[value["toolUseId"]], text))
    else:
        shown = value["reasoningText"]
        told.thoughts.append(shown["text"])
        told.signatures.append(shown["signature"])


def _usage(tokens: Tokens) -> dict[str, int]:
    output = tokens.output + (tokens.reasoning or 0)
    return {
        "inputTokens": tokens.input,
        "cacheReadInputTokens": tokens.cached,
        "cacheWriteInputTokens": tokens.written,
        "outputTokens": output,
        "totalTokens": tokens.input + tokens.cached + tokens.written + output,
    }


def whole(said: Said) -> bytes:
    content: list[dict[str, Any]] = []
    if said.thought:
        shown = {"text": said.thought, "signature": said.signature}
        content.append({"reasoningContent": {"reasoningText": shown}})
    if said.text:
        content.append({"text": said.text})
    for call in said.calls:
        told = {"toolUseId": call.id, "name": call.name, "input": call.arguments}
        content.append({"toolUse": told})
    answer = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": FINISHES[said.finish],
        "usage": _usage(said.tokens),
        "metrics": {"latencyMs": 1},
    }
    body = msgspec.json.encode(answer)
    read_by_botocore(body, stream=False)
    return body


def stream(said: Said) -> bytes:
    deltas: list[tuple[dict[str, Any] | None, list[dict[str, Any]]]] = []
    if said.thought:
        grown = [{"reasoningContent": {"text": piece}} for piece in pieces(said.thought)]
        deltas.append((None, [*grown, {"reasoningContent": {"signature": said.signature}}]))
    if said.text:
        deltas.append((None, [{"text": piece} for piece in pieces(said.text)]))
    for call in said.calls:
        arguments = msgspec.json.encode(call.arguments).decode()
        begun = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        deltas.append((begun, [{"toolUse": {"input": piece}} for piece in pieces(arguments)]))
    sent: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
    for index, (begun, grown) in enumerate(deltas):
        at = {"contentBlockIndex": index}
        if begun is not None:
            sent.append(("contentBlockStart", {**at, "start": begun}))
        sent += [("contentBlockDelta", {**at, "delta": delta}) for delta in grown]
        sent.append(("contentBlockStop", at))
    sent.append(("messageStop", {"stopReason": FINISHES[said.finish]}))
    sent.append(("metadata", {"usage": _usage(said.tokens), "metrics": {"latencyMs": 1}}))
    body = b"".join(frame(name, msgspec.json.encode(payload)) for name, payload in sent)
    read_by_botocore(body, stream=True)
    return body
