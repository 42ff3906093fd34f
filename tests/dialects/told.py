"""What a caller is told, read strictly: in each dialect a stream has one grammar, and one end.

AssertionError for whatever a client of that dialect could not make sense of.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

_decode = msgspec.json.Decoder().decode
_BLOCKS = {
    "text": {"text_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set(),
    "tool_use": {"input_json_delta"},
}


class Told(NamedTuple):
    """An answer as far as it came, of its first choice: `end` is the terminal event, `error` the
    last event of one that failed."""

    text: str = ""
    arguments: tuple[str, ...] = ()
    finish: str | None = None
    usage: dict[str, Any] | None = None
    end: str | None = None
    error: Any = None


def read_stream(dialect: str, body: bytes, *, passed: bool = False) -> Told:
    """A stream of `dialect`; of one that was cut what is there. `passed`: it is a provider's own,
    whose ids, numbers and repetitions are not ours."""
    told = _READERS[dialect](body, ours=not passed)
    assert told.end is None or told.error is None, "it ended twice"
    return told


def read_whole(dialect: str, body: bytes) -> Told:
    return _WHOLE[dialect](_decode(body))


def figures(usage: Any) -> tuple[Any, ...] | None:
    """(input, output) of a usage in any dialect; None where it tells neither."""
    if not usage:
        return None
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    return prompt, usage.get("completion_tokens", usage.get("output_tokens"))


def _events(body: bytes) -> Iterator[tuple[str | None, bytes]]:
    """(name, data) of each event, without comments. Every one ends in a blank line."""
    assert body.endswith(b"\n\n") or not body, "it ends within an event"
    for block in body.removesuffix(b"\n\n").split(b"\n\n"):
        name, data = None, None
        for line in block.split(b"\n"):
            if line.startswith(b"event: "):
                name = line[7:].decode()
            elif line.startswith(b"data: "):
                assert data is None
                data = line[6:]
            else:
                assert line.startswith((b":", b"id:", b"retry:")) or not line, line
        if data is not None:
            yield name, data


def _chat(body: bytes, *, ours: bool) -> Told:
    texts: list[str] = []
    calls: dict[int, str] = {}
    finishes: dict[int, str] = {}
    begun: set[int] = set()
    usage: Any = None
    heads = set()
    end = error = None
    for _, data in _events(body):
        assert end is None and error is None, "it went on after its end"
        if data == b"[DONE]":
            end = "[DONE]"
            continue
        chunk = _decode(data)
        if "error" in chunk:
            error = chunk["error"]
            continue
        heads.add((chunk.get("id"), chunk.get("model"), chunk.get("created")))
        if chunk.get("usage") is not None:
            assert usage is None or not ours, "usage came twice"
            usage = chunk["usage"]
            assert not ours or (set(finishes) == begun and not chunk["choices"])
        for choice in chunk["choices"]:
            number, delta = choice["index"], choice["delta"]
            assert number not in finishes, "a choice went on after its end"
            assert not ours or ("role" in delta) == (number not in begun)
            begun.add(number)
            if choice["finish_reason"] is not None:
                finishes[number] = choice["finish_reason"]
            if number:
                continue
            texts.append(delta.get("content") or "")
            for call in delta.get("tool_calls", ()):
                _chat_call(call, calls)
    assert len(heads) <= 1 or not ours, "the answer's id, model or time changed"
    if end is not None:
        assert begun and set(finishes) == begun
    arguments = tuple(calls.values())
    return Told("".join(texts), arguments, finishes.get(0), usage, end, error)


def _chat_call(call: dict[str, Any], calls: dict[int, str]) -> None:
    number, function = call["index"], call["function"]
    if number not in calls:
        assert number == len(calls) and call["id"] and isinstance(function["name"], str)
        calls[number] = ""
    else:
        assert "id" not in call and "name" not in function
    calls[number] += function["arguments"]


def _messages(body: bytes, *, ours: bool) -> Told:
    texts: list[str] = []
    calls: list[str] = []
    used, kind = 0, None
    finish = usage = end = error = None
    begun = False
    for name, data in _events(body):
        event = _decode(data)
        assert event["type"] == name
        assert end is None and error is None, "it went on after its end"
        if name == "error":
            error = event["error"]
        elif name == "message_start":
            assert not begun and not event["message"]["content"]
            assert not ours or isinstance(event["message"]["usage"]["input_tokens"], int)
            begun = True
        elif name == "ping":
            assert begun
        elif name == "content_block_start":
            assert begun and kind is None and finish is None and event["index"] == used
            kind = event["content_block"]["type"]
            assert kind in _BLOCKS
            if kind == "tool_use":
                assert event["content_block"]["id"] and event["content_block"]["input"] == {}
                calls.append("")
        elif name == "content_block_delta":
            assert kind is not None and event["index"] == used
            delta = event["delta"]
            assert delta["type"] in _BLOCKS[kind]
            if kind == "text":
                texts.append(delta["text"])
            elif kind == "tool_use":
                calls[-1] += delta["partial_json"]
        elif name == "content_block_stop":
            assert kind is not None and event["index"] == used
            kind, used = None, used + 1
        elif name == "message_delta":
            assert begun and kind is None and (finish is None or not ours)
            finish, usage = event["delta"]["stop_reason"], event.get("usage")
            assert finish is not None
        else:
            assert name == "message_stop" and finish is not None
            end = name
    return Told("".join(texts), tuple(calls), finish, usage, end, error)


def _responses(body: bytes, *, ours: bool) -> Told:
    items: list[dict[str, Any]] = []  # as they were begun, with what grew in each
    done: dict[int, Any] = {}
    end = error = None
    response: dict[str, Any] = {}
    for number, (name, data) in enumerate(_events(body)):
        event = _decode(data)
        assert event["type"] == name
        assert not ours or event["sequence_number"] == number
        assert end is None and error is None, "it went on after its end"
        assert (name == "response.created") == (number == 0) or name == "error"
        if name == "error":
            error = event
        elif name == "response.output_item.added":
            assert event["output_index"] == len(items)
            items.append({**event["item"], "grown": ""})
        elif name == "response.output_item.done":
            at = event["output_index"]
            assert at not in done and event["item"]["id"] == items[at]["id"]
            done[at] = event["item"]
        elif name in ("response.completed", "response.incomplete", "response.failed"):
            end, response = name, event["response"]
            assert f"response.{response['status']}" == name
            assert response["output"] == [done[at] for at in range(len(items))]
        elif name is not None and name.endswith(".delta"):
            item = items[event["output_index"]]
            assert item["id"] == event["item_id"] and event["output_index"] not in done
            item["grown"] += event["delta"]
    texts = [item["grown"] for item in items if item["type"] == "message"]
    calls = tuple(item["grown"] for item in items if item["type"] == "function_call")
    return Told("".join(texts), calls, response.get("status"), response.get("usage"), end, error)


def _whole_chat(body: Any) -> Told:
    choice = body["choices"][0]
    message = choice["message"]
    calls = tuple(call["function"]["arguments"] for call in message.get("tool_calls") or ())
    finish, text = choice["finish_reason"], message["content"] or ""
    assert finish is not None
    return Told(text, calls, finish, body.get("usage"), "whole")


def _whole_message(body: Any) -> Told:
    assert body["type"] == "message" and body["stop_reason"] is not None
    texts = [block["text"] for block in body["content"] if block["type"] == "text"]
    calls = tuple(
        msgspec.json.encode(block["input"]).decode()
        for block in body["content"]
        if block["type"] == "tool_use"
    )
    return Told("".join(texts), calls, body["stop_reason"], body.get("usage"), "whole")


def _whole_response(body: Any) -> Told:
    assert body["status"] in ("completed", "incomplete")
    parts = [part for item in body["output"] for part in item.get("content") or ()]
    texts = [part["text"] for part in parts if part["type"] == "output_text"]
    calls = tuple(it["arguments"] for it in body["output"] if it["type"] == "function_call")
    return Told("".join(texts), calls, body["status"], body.get("usage"), "whole")


_READERS = {"openai_chat": _chat, "anthropic_messages": _messages, "openai_responses": _responses}
_WHOLE = {
    "openai_chat": _whole_chat,
    "anthropic_messages": _whole_message,
    "openai_responses": _whole_response,
}
