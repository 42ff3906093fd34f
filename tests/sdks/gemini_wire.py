"""Google's Generative Language API as a provider: reads requests, writes answers."""

from typing import Any

import msgspec
from tests.sdks.said import Call, Heard, Said, Tokens, pieces


def heard(path: str, body: Any) -> Heard:
    model, _, verb = path.removeprefix("/v1/models/").partition(":")
    config = body.get("generationConfig", {})
    told = Heard(model, verb == "streamGenerateContent?alt=sse", config.get("maxOutputTokens"))
    assert told.stream or verb == "generateContent"
    for part in body.get("systemInstruction", {}).get("parts", ()):
        told.instructions.append(part["text"])
    for content in body["contents"]:
        assert content["role"] in ("user", "model")
        for part in content["parts"]:
            _hear(part, told)
    for tool in body.get("tools", ()):
        for function in tool["functionDeclarations"]:
            told.tools[function["name"]] = function["parametersJsonSchema"]
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    names = calling.get("allowedFunctionNames", [None])
    told.must_call = calling.get("mode") == "ANY" and names == [None]
    told.named = names[0]
    if config.get("responseMimeType") == "application/json":
        told.form = config.get("responseJsonSchema")
        told.any_json = told.form is None
    told.stops = config.get("stopSequences", [])
    told.choices = config.get("candidateCount", 1)
    thinking = config.get("thinkingConfig", {})
    told.thinks = thinking.get("includeThoughts") is True
    assert len({"thinkingBudget", "thinkingLevel"} & thinking.keys()) <= 1
    return told


def _hear(part: Any, told: Heard) -> None:
    if "thoughtSignature" in part:
        told.signatures.append(part["thoughtSignature"])
    if "functionCall" in part:
        call = part["functionCall"]
        told.calls.append(Call(call["id"], call["name"], call["args"]))
    elif "functionResponse" in part:
        result = part["functionResponse"]
        assert result["id"] in [call.id for call in told.calls]
        told.results.append((result["name"], result["response"]["output"]))
    elif "inlineData" in part:
        data = part["inlineData"]
        is_image = data["mimeType"].startswith("image/")
        (told.images if is_image else told.documents).append((data["mimeType"], data["data"]))
    elif "fileData" in part:
        told.images.append(("url", part["fileData"]["fileUri"]))
    elif part.get("thought"):
        told.thoughts.append(part["text"])
    else:
        told.texts.append(part["text"])


def _usage(tokens: Tokens) -> dict[str, Any]:
    prompt = tokens.input + tokens.cached
    usage = {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": tokens.cached,
        "candidatesTokenCount": tokens.output,
        "totalTokenCount": prompt + tokens.output + (tokens.reasoning or 0),
    }
    return usage | ({"thoughtsTokenCount": tokens.reasoning} if tokens.reasoning else {})


def _calls(said: Said) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for call in said.calls:
        told = {"id": call.id, "name": call.name, "args": call.arguments}
        parts.append({"functionCall": told})
    if parts and said.signature:
        parts[0]["thoughtSignature"] = said.signature  # the first call of a step is signed
    return parts


FINISHES = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS"}


def _answer(parts: list[dict[str, Any]], said: Said, *, last: bool) -> bytes:
    candidates: list[dict[str, Any]] = [
        {"content": {"role": "model", "parts": parts}, "index": index}
        for index in range(said.choices)
    ]
    if last:
        for candidate in candidates:
            candidate["finishReason"] = FINISHES[said.finish]
    told = {"candidates": candidates, "usageMetadata": _usage(said.tokens)}
    return msgspec.json.encode({**told, "modelVersion": "served", "responseId": "up"})


def whole(said: Said) -> bytes:
    parts = [{"text": said.thought, "thought": True}] if said.thought else []
    parts += [{"text": said.text}] if said.text else []
    return _answer(parts + _calls(said), said, last=True)


def stream(said: Said) -> bytes:
    steps: list[list[dict[str, Any]]] = [
        [{"text": piece, "thought": True}] for piece in pieces(said.thought)
    ]
    steps += [[{"text": piece}] for piece in pieces(said.text)]
    if said.calls:
        steps.append(_calls(said))
    sent = [_answer(parts, said, last=False) for parts in steps]
    sent.append(_answer([{"text": ""}], said, last=True))
    return b"".join(b"data: %b\r\n\r\n" % one for one in sent)
