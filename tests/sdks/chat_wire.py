"""OpenAI's chat as a provider: reads requests, writes answers. All that it writes is held against
the official client's types."""

from typing import Any

import msgspec
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from tests.sdks.said import Call, Heard, Said, Tokens, pieces


def heard(path: str, body: Any) -> Heard:
    told = Heard(body.get("model"), body.get("stream") is True)
    told.ceiling_tokens = body.get("max_completion_tokens", body.get("max_tokens"))
    names: dict[str, str] = {}
    for message in body["messages"]:
        _hear(message, told, names)
    for tool in body.get("tools", ()):
        assert tool["type"] == "function"
        told.tools[tool["function"]["name"]] = tool["function"]["parameters"]
    choice = body.get("tool_choice")
    told.must_call = choice == "required"
    told.named = choice["function"]["name"] if isinstance(choice, dict) else None
    form = body.get("response_format")
    if form is not None:
        told.any_json = form["type"] == "json_object"
        told.form = None if told.any_json else form["json_schema"]["schema"]
    told.thinks = body.get("reasoning_effort") == "high"
    told.stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop", [])
    told.choices = body.get("n", 1)
    if told.stream:
        assert body["stream_options"]["include_usage"] is True
    return told


def _hear(message: Any, told: Heard, names: dict[str, str]) -> None:
    role, content = message["role"], message.get("content")
    if role == "tool":
        told.results.append((names[message["tool_call_id"]], content))
        return
    texts = told.instructions if role in ("system", "developer") else told.texts
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
        told.cache_marks += "cache_control" in part
        if part["type"] == "text":
            texts.append(part["text"])
        elif part["type"] == "image_url":
            told.images.append(_data(part["image_url"]["url"]))
        else:
            told.documents.append(_data(part["file"]["file_data"]))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        names[call["id"]] = function["name"]
        arguments = msgspec.json.decode(function["arguments"])
        told.calls.append(Call(call["id"], function["name"], arguments))
    for name in ("reasoning", "reasoning_content"):
        if message.get(name):
            told.thoughts.append(message[name])


def _data(url: str) -> tuple[str, str]:
    if not url.startswith("data:"):
        return "url", url
    head, _, data = url.partition(";base64,")
    return head.removeprefix("data:"), data


def _usage(tokens: Tokens) -> dict[str, Any]:
    prompt = tokens.input + tokens.cached + tokens.written
    completion = tokens.output + (tokens.reasoning or 0)
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
    }
    if tokens.written:
        usage["prompt_tokens_details"]["cache_write_tokens"] = tokens.written
    if tokens.reasoning is not None:
        usage["completion_tokens_details"] = {"reasoning_tokens": tokens.reasoning}
    return usage


def _call(call: Call) -> dict[str, Any]:
    arguments = msgspec.json.encode(call.arguments).decode()
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def whole(said: Said, shows: str | None = None) -> bytes:
    """The body of an answer; `shows` is the member in which this provider shows its thoughts."""
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.calls:
        message["tool_calls"] = [_call(call) for call in said.calls]
    if shows and said.thought:
        message[shows] = said.thought
    choices = [
        {"index": index, "message": message, "finish_reason": said.finish}
        for index in range(said.choices)
    ]
    answer = {
        "id": "chatcmpl-up",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": "served",
        "choices": choices,
        "usage": _usage(said.tokens),
    }
    ChatCompletion.model_validate(answer)
    return msgspec.json.encode(answer)


def stream(said: Said, shows: str | None = None) -> bytes:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if shows:
        deltas += [{shows: piece} for piece in pieces(said.thought)]
    deltas += [{"content": piece} for piece in pieces(said.text)]
    for index, call in enumerate(said.calls):
        begun = _call(call)
        arguments = begun["function"].pop("arguments")
        begun["function"]["arguments"] = ""
        deltas.append({"tool_calls": [{"index": index, **begun}]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in pieces(arguments)
        ]
    choices: list[list[Any]] = [
        [{"index": index, "delta": delta, "finish_reason": None}]
        for delta in deltas
        for index in range(said.choices)
    ]
    choices += [
        [{"index": index, "delta": {}, "finish_reason": said.finish}]
        for index in range(said.choices)
    ]
    choices.append([])
    sent = []
    for told in choices:
        chunk: dict[str, Any] = {"id": "chatcmpl-up", "object": "chat.completion.chunk"}
        chunk |= {"created": 1_795_000_000, "model": "served", "choices": told}
        if not told:
            chunk["usage"] = _usage(said.tokens)
        ChatCompletionChunk.model_validate(chunk)
        sent.append(b"data: " + msgspec.json.encode(chunk) + b"\n\n")
    return b"".join(sent) + b"data: [DONE]\n\n"


def read(body: bytes) -> Said:
    """A recorded answer, whole or streamed."""
    if not body.startswith(b"data:"):
        answer = msgspec.json.decode(body)
        message = answer["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        return _said(
            message["content"] or "", calls, answer["choices"][0]["finish_reason"], answer["usage"]
        )
    text, finish, usage = "", "", None
    calls = []
    for line in body.splitlines():
        if not line.startswith(b"data: {"):
            continue
        chunk = msgspec.json.decode(line[6:])
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            finish = choice["finish_reason"] or finish
            text += choice["delta"].get("content") or ""
            for piece in choice["delta"].get("tool_calls") or ():
                if piece["index"] == len(calls):
                    calls.append({"id": piece["id"], "function": {"name": "", "arguments": ""}})
                for name, more in piece["function"].items():
                    calls[piece["index"]]["function"][name] += more or ""
    return _said(text, calls, finish, usage)


def _said(text: str, calls: list[Any], finish: str, usage: Any) -> Said:
    made = tuple(
        Call(
            call["id"],
            call["function"]["name"],
            msgspec.json.decode(call["function"]["arguments"]),
        )
        for call in calls
    )
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    tokens = Tokens(usage["prompt_tokens"] - cached, cached, usage["completion_tokens"])
    return Said(text, made, finish=finish, tokens=tokens)
