"""OpenAI's Responses as a provider: reads requests, writes answers. All that it writes is held
against the official client's types (tests.providers.responses_wire)."""

from typing import Any

import msgspec
from tests.providers.responses_wire import CALL, MESSAGE, begun, event, response
from tests.providers.responses_wire import stream as numbered
from tests.sdks.said import Call, Heard, Said, Tokens, pieces


def heard(path: str, body: Any) -> Heard:
    assert path == "/v1/responses"
    told = Heard(body.get("model"), body.get("stream") is True, body.get("max_output_tokens"))
    if body.get("instructions"):
        told.instructions.append(body["instructions"])
    names: dict[str, str] = {}
    for item in body["input"]:
        _hear(item, told, names)
    for tool in body.get("tools", ()):
        told.tools[tool["name"]] = tool["parameters"]
    choice = body.get("tool_choice")
    told.must_call = choice == "required"
    told.named = choice["name"] if isinstance(choice, dict) else None
    form = body.get("text", {}).get("format")
    if form is not None:
        told.any_json = form["type"] == "json_object"
        told.form = form.get("schema")
    told.thinks = body.get("reasoning", {}).get("effort") == "high"
    return told


def _hear(item: Any, told: Heard, names: dict[str, str]) -> None:
    kind = item.get("type", "message")
    if kind == "function_call":
        names[item["call_id"]] = item["name"]
        arguments = msgspec.json.decode(item["arguments"])
        told.calls.append(Call(item["call_id"], item["name"], arguments))
    elif kind == "function_call_output":
        told.results.append((names[item["call_id"]], item["output"]))
    elif kind == "reasoning":
        told.thoughts += [part["text"] for part in item["summary"]]
        told.signatures.append(item["encrypted_content"])
    elif isinstance(item["content"], str):
        told.texts.append(item["content"])
    else:
        for part in item["content"]:
            if part["type"] == "input_image":
                told.images.append(_data(part["image_url"]))
            elif part["type"] == "input_file":
                told.documents.append(_data(part["file_data"]))
            else:
                told.texts.append(part["text"])


def _data(url: str) -> tuple[str, str]:
    if not url.startswith("data:"):
        return "url", url
    head, _, data = url.partition(";base64,")
    return head.removeprefix("data:"), data


def _usage(tokens: Tokens) -> dict[str, Any]:
    prompt, output = tokens.input + tokens.cached, tokens.output + (tokens.reasoning or 0)
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning or 0},
        "total_tokens": prompt + output,
    }


def _items(said: Said) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if said.thought:
        summary = [{"type": "summary_text", "text": said.thought}]
        sealed = {"encrypted_content": said.signature, "summary": summary}
        items.append({"id": "rs_1", "type": "reasoning", **sealed})
    if said.text:
        part = {**MESSAGE["content"][0], "text": said.text}
        items.append({**MESSAGE, "content": [part]})
    for call in said.calls:
        arguments = msgspec.json.encode(call.arguments).decode()
        told = {"id": f"fc_{call.id}", "call_id": call.id, "name": call.name}
        items.append({**CALL, **told, "arguments": arguments})
    return items


def whole(said: Said) -> bytes:
    return msgspec.json.encode(_ended(said, _items(said)))


def _ended(said: Said, items: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {"output": items, "usage": _usage(said.tokens)}
    if said.finish == "length":
        told["incomplete_details"] = {"reason": "max_output_tokens"}
        return response("incomplete", **told)
    return response(**told)


def stream(said: Said) -> bytes:
    items = _items(said)
    events = begun()
    for index, item in enumerate(items):
        events += _grown(index, item)
    done = _ended(said, items)
    return numbered(*events, event(done["status"], response=done))


def _grown(index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    at = {"item_id": item["id"], "output_index": index}
    done = event("output_item.done", output_index=index, item=item)
    if item["type"] == "reasoning":
        [part] = item["summary"]
        at |= {"summary_index": 0}
        empty = {**item, "summary": []}
        return [
            event("output_item.added", output_index=index, item=empty),
            event("reasoning_summary_part.added", **at, part={**part, "text": ""}),
            *(
                event("reasoning_summary_text.delta", **at, delta=one)
                for one in pieces(part["text"])
            ),
            event("reasoning_summary_text.done", **at, text=part["text"]),
            event("reasoning_summary_part.done", **at, part=part),
            done,
        ]
    if item["type"] == "message":
        [part] = item["content"]
        at |= {"content_index": 0}
        empty = {**item, "content": [], "status": "in_progress"}
        return [
            event("output_item.added", output_index=index, item=empty),
            event("content_part.added", **at, part={**part, "text": ""}),
            *(
                event("output_text.delta", **at, delta=one, logprobs=[])
                for one in pieces(part["text"])
            ),
            event("output_text.done", **at, text=part["text"], logprobs=[]),
            event("content_part.done", **at, part=part),
            done,
        ]
    empty = {**item, "arguments": "", "status": "in_progress"}
    name, arguments = item["name"], item["arguments"]
    return [
        event("output_item.added", output_index=index, item=empty),
        *(event("function_call_arguments.delta", **at, delta=one) for one in pieces(arguments)),
        event("function_call_arguments.done", **at, arguments=arguments, name=name),
        done,
    ]
