"""What callers ask and providers answer in each wire, for measuring what translating costs.

A conversation with tools: instructions, turns, calls and their results. A stream of one word a
chunk; a whole answer with a text and a call.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

CHUNKS = 2_000
TURNS = 6
SAID = "How high is the water at noon, and which way does the wind blow? " * 6
FOUND = "4.2 m, rising"
SCHEMA = {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]}
TOOL = {"name": "tide", "description": "The tide at a port."}
ARGUMENTS = '{"port":"Hamburg"}'
PORT = {"port": "Hamburg"}

_encode = msgspec.json.Encoder().encode


def _chat_request() -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": SAID}]
    for at in range(TURNS):
        function = {"name": "tide", "arguments": ARGUMENTS}
        call = {"id": f"call_{at}", "type": "function", "function": function}
        messages += [
            {"role": "user", "content": SAID},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{at}", "content": FOUND},
        ]
    tools = [{"type": "function", "function": {**TOOL, "parameters": SCHEMA}}]
    return {"messages": messages, "tools": tools, "max_tokens": 500}


def _messages_request() -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for at in range(TURNS):
        call = {"type": "tool_use", "id": f"toolu_{at}", "name": "tide", "input": PORT}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{at}", "content": FOUND}
        messages += [
            {"role": "user", "content": SAID},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]
    tools = [{**TOOL, "input_schema": SCHEMA}]
    return {"system": SAID, "messages": messages, "tools": tools, "max_tokens": 500}


def _responses_request() -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    for at in range(TURNS):
        call = {"type": "function_call", "call_id": f"call_{at}", "name": "tide"}
        items += [
            {"role": "user", "content": SAID},
            {**call, "arguments": ARGUMENTS},
            {"type": "function_call_output", "call_id": f"call_{at}", "output": FOUND},
        ]
    tools = [{"type": "function", **TOOL, "parameters": SCHEMA}]
    members = {"instructions": SAID, "input": items, "tools": tools, "store": False}
    return {**members, "max_output_tokens": 500}


def requests() -> dict[str, bytes]:
    """By the caller's dialect."""
    return {
        name: _encode({"model": "m", **members, "temperature": 0.2, "stream": True})
        for name, members in (
            ("openai_chat", _chat_request()),
            ("anthropic_messages", _messages_request()),
            ("openai_responses", _responses_request()),
        )
    }


def _chat_answer() -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": "tide", "arguments": ARGUMENTS}}
    message = {"role": "assistant", "content": SAID, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
    return {"id": "c", "model": "m", "choices": [choice], "usage": usage}


def _messages_answer() -> dict[str, Any]:
    call = {"type": "tool_use", "id": "toolu", "name": "tide", "input": PORT}
    members = {"id": "msg", "type": "message", "model": "m", "stop_reason": "tool_use"}
    usage = {"input_tokens": 900, "output_tokens": 60}
    return {**members, "content": [{"type": "text", "text": SAID}, call], "usage": usage}


def _bedrock_answer() -> dict[str, Any]:
    call = {"toolUse": {"toolUseId": "t", "name": "tide", "input": PORT}}
    message = {"role": "assistant", "content": [{"text": SAID}, call]}
    usage = {"inputTokens": 900, "outputTokens": 60, "totalTokens": 960}
    return {"output": {"message": message}, "stopReason": "tool_use", "usage": usage}


def _gemini_answer() -> dict[str, Any]:
    parts = [{"text": SAID}, {"functionCall": {"name": "tide", "args": PORT}}]
    candidate = {"content": {"parts": parts}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 900, "candidatesTokenCount": 60, "totalTokenCount": 960}
    return {"candidates": [candidate], "usageMetadata": usage}


def _cohere_answer() -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": "tide", "arguments": ARGUMENTS}}
    message = {"role": "assistant", "tool_plan": SAID, "tool_calls": [call]}
    usage = {"billed_units": {"input_tokens": 900, "output_tokens": 60}}
    return {"id": "c", "message": message, "finish_reason": "TOOL_CALL", "usage": usage}


def answers() -> dict[str, bytes]:
    """A whole one, by the provider."""
    return {
        "openai_compatible": _encode(_chat_answer()),
        "anthropic": _encode(_messages_answer()),
        "bedrock": _encode(_bedrock_answer()),
        "gemini": _encode(_gemini_answer()),
        "mistral": _encode(_chat_answer()),
        "cohere": _encode(_cohere_answer()),
    }


def _chat_chunks() -> Iterator[bytes]:
    head = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":['
    for at in range(CHUNKS):
        delta = _encode({"content": f" word{at}"})
        yield head + b'{"index":0,"delta":%b,"finish_reason":null}]}\n\n' % delta
    yield head + b'{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    usage = b'{"prompt_tokens":9,"completion_tokens":%d}' % CHUNKS
    yield head + b'],"usage":%b}\n\n' % usage
    yield b"data: [DONE]\n\n"


def _event(kind: str, **members: Any) -> bytes:
    told = _encode({"type": kind, **members})
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), told)


def _messages_chunks() -> Iterator[bytes]:
    message = {"id": "msg", "model": "m", "usage": {"input_tokens": 9, "output_tokens": 1}}
    yield _event("message_start", message=message)
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for at in range(CHUNKS):
        delta = {"type": "text_delta", "text": f" word{at}"}
        yield _event("content_block_delta", index=0, delta=delta)
    yield _event("content_block_stop", index=0)
    usage = {"output_tokens": CHUNKS}
    yield _event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage)
    yield _event("message_stop")


def _responses_chunks() -> Iterator[bytes]:
    response = {"id": "resp", "model": "m", "status": "in_progress", "output": []}
    yield _event("response.created", sequence_number=0, response=response)
    place = {"item_id": "msg", "output_index": 0, "content_index": 0}
    for at in range(CHUNKS):
        more = {**place, "delta": f" word{at}", "sequence_number": at + 1}
        yield _event("response.output_text.delta", **more)
    usage = {"input_tokens": 9, "output_tokens": CHUNKS}
    whole = {**response, "status": "completed", "usage": usage}
    yield _event("response.completed", sequence_number=CHUNKS + 1, response=whole)


def _frame(name: str, **members: Any) -> bytes:
    """One message of AWS's event stream."""
    payload = _encode(members)
    headers = b""
    for key, value in ((":message-type", "event"), (":event-type", name)):
        headers += struct.pack(">B", len(key)) + key.encode()
        headers += struct.pack(">BH", 7, len(value)) + value.encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _bedrock_chunks() -> Iterator[bytes]:
    yield _frame("messageStart", role="assistant")
    for at in range(CHUNKS):
        yield _frame("contentBlockDelta", contentBlockIndex=0, delta={"text": f" word{at}"})
    yield _frame("contentBlockStop", contentBlockIndex=0)
    yield _frame("messageStop", stopReason="end_turn")
    usage = {"inputTokens": 9, "outputTokens": CHUNKS, "totalTokens": CHUNKS + 9}
    yield _frame("metadata", usage=usage)


def _gemini_chunks() -> Iterator[bytes]:
    for at in range(CHUNKS):
        candidate = {"content": {"role": "model", "parts": [{"text": f" word{at}"}]}, "index": 0}
        counts = {"promptTokenCount": 9, "candidatesTokenCount": at + 1}
        usage = {**counts, "totalTokenCount": at + 10}
        end = {"finishReason": "STOP"} if at == CHUNKS - 1 else {}
        members = {"candidates": [{**candidate, **end}], "usageMetadata": usage}
        yield b"data: %b\n\n" % _encode({**members, "modelVersion": "m", "responseId": "r"})


def _cohere_chunks() -> Iterator[bytes]:
    yield _event("message-start", id="c")
    for at in range(CHUNKS):
        delta = {"message": {"content": {"text": f" word{at}"}}}
        yield _event("content-delta", index=0, delta=delta)
    usage = {"billed_units": {"input_tokens": 9, "output_tokens": CHUNKS}}
    yield _event("message-end", delta={"finish_reason": "COMPLETE", "usage": usage})


def streams() -> dict[str, list[bytes]]:
    """What comes in one read each, by the wire."""
    chunks: dict[str, Callable[[], Iterator[bytes]]] = {
        "openai_compatible": _chat_chunks,
        "anthropic": _messages_chunks,
        "bedrock": _bedrock_chunks,
        "gemini": _gemini_chunks,
        "mistral": _chat_chunks,
        "cohere": _cohere_chunks,
        "openai": _responses_chunks,
    }
    return {name: list(make()) for name, make in chunks.items()}
