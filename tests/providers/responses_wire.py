"""Streams and answers of OpenAI's Responses, simulated: written after the official client's types,
which each of their events is held against."""

from typing import Any

import msgspec
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

_valid: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 6},
    "total_tokens": 20,
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "high tide", "annotations": [], "logprobs": []}],
}
CALL: dict[str, Any] = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "c1",
    "name": "tide",
    "arguments": '{"at":1}',
}


def response(status: str = "completed", **members: Any) -> dict[str, Any]:
    told = {
        "id": "resp_up",
        "object": "response",
        "created_at": 1_795_000_000,
        "status": status,
        "model": "served",
        "output": [MESSAGE] if status == "completed" else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "service_tier": "default",
        "tool_choice": "auto",
        "tools": [],
        "usage": USAGE if status in ("completed", "incomplete") else None,
        **members,
    }
    Response.model_validate(told)
    return told


def stream(*events: dict[str, Any]) -> bytes:
    """The bytes of these events, numbered."""
    told = []
    for number, event in enumerate(events):
        body = msgspec.json.encode({**event, "sequence_number": number})
        _valid.validate_json(body)
        told.append(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), body))
    return b"".join(told)


def event(name: str, /, **members: Any) -> dict[str, Any]:
    return {"type": f"response.{name}", **members}


def begun() -> list[dict[str, Any]]:
    now = response("in_progress")
    return [event("created", response=now), event("in_progress", response=now)]


def texts(*pieces: str) -> list[dict[str, Any]]:
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    return [event("output_text.delta", **at, delta=piece) for piece in pieces]


def chat(*pieces: str, **members: Any) -> bytes:
    """A whole stream that says so."""
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    text = "".join(pieces)
    part = {**MESSAGE["content"][0], "text": text}
    item = {**MESSAGE, "content": [part]}
    added = {**MESSAGE, "content": [], "status": "in_progress"}
    return stream(
        *begun(),
        event("output_item.added", output_index=0, item=added),
        event("content_part.added", **at, part={**part, "text": ""}),
        *texts(*pieces),
        event("output_text.done", **at, text=text, logprobs=[]),
        event("content_part.done", **at, part=part),
        event("output_item.done", output_index=0, item=item),
        event("completed", response=response(**{"output": [item], **members})),
    )


def calls() -> bytes:
    at = {"item_id": "fc_1", "output_index": 0}
    added = {**CALL, "arguments": "", "status": "in_progress"}
    return stream(
        *begun(),
        event("output_item.added", output_index=0, item=added),
        event("function_call_arguments.delta", **at, delta='{"at"'),
        event("function_call_arguments.delta", **at, delta=":1}"),
        event("function_call_arguments.done", **at, arguments='{"at":1}', name="tide"),
        event("output_item.done", output_index=0, item=CALL),
        event("completed", response=response(output=[CALL])),
    )
