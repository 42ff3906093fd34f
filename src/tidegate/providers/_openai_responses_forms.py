"""An answer of OpenAI's Responses in its other form: a stream as a whole, a whole as a stream.

A stream's last event holds the whole answer. The other way each item is told in one piece, by the
events of its kind; of kinds that have none of their own it is told when it begins and ends.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.text.sse import SseSplitter, data_of
from tidegate.text.strict_json import UNREADABLE

_COMPLETED: Final = "response.completed"
Members = dict[str, Any]


class _Told(Struct):
    type: str = ""
    response: Raw = Raw(b"null")


_told: Final = msgspec.json.Decoder(_Told).decode
_decode: Final = msgspec.json.Decoder(Members).decode
_encode: Final = msgspec.json.Encoder().encode


def whole_of(stream: bytes) -> bytes | None:
    """The answer that a stream came to; None where it did not come to its end."""
    for event in reversed(SseSplitter().feed(stream)):
        data = data_of(event)
        try:
            told = _Told() if data is None else _told(data)
        except UNREADABLE:
            return None
        if told.type == _COMPLETED:
            return bytes(told.response)
    return None


def stream_of(whole: bytes) -> bytes | None:
    """The events that come to this answer; None where it is no answer that is complete."""
    try:
        answer = _decode(whole)
        if answer.get("status") != "completed":
            return None
        events = [*_events(answer)]
    except (*UNREADABLE, AttributeError, KeyError, TypeError):
        return None
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (it["type"].encode(), _encode({**it, "sequence_number": n}))
        for n, it in enumerate(events)
    )


def _events(answer: Members) -> Iterator[Members]:
    begun = {**answer, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    if "completed_at" not in answer:
        del begun["completed_at"]
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(answer["output"]):
        yield from _item(item, {"output_index": index})
    yield {"type": _COMPLETED, "response": answer}


def _item(item: Members, at: Members) -> Iterator[Members]:
    empty = {"content": [], "summary": [], "arguments": "", "status": "in_progress"}
    kind = item["type"]
    grows = {"message": "content", "function_call": "arguments", "reasoning": "summary"}.get(kind)
    begun = item
    if grows is not None:
        begun = {name: empty.get(name, value) for name, value in item.items()}
    yield {"type": "response.output_item.added", **at, "item": begun}
    place = {"item_id": item.get("id"), **at}
    if kind == "message":
        for index, part in enumerate(item["content"]):
            yield from _content(part, {**place, "content_index": index})
    elif kind == "function_call":
        of = "response.function_call_arguments"
        said, name = item["arguments"], item["name"]
        yield {"type": f"{of}.delta", **place, "delta": said}
        yield {"type": f"{of}.done", **place, "arguments": said, "name": name}
    elif kind == "reasoning":
        for index, part in enumerate(item.get("summary") or ()):
            yield from _summary(part, {**place, "summary_index": index})
    yield {"type": "response.output_item.done", **at, "item": item}


def _content(part: Members, at: Members) -> Iterator[Members]:
    if part["type"] == "refusal":
        name, said, more, begun = "refusal", part["refusal"], {}, {**part, "refusal": ""}
    else:
        more = {"logprobs": part.get("logprobs") or []}
        name, said, begun = "output_text", part["text"], {**part, "text": "", "annotations": []}
    told = "refusal" if name == "refusal" else "text"
    yield {"type": "response.content_part.added", **at, "part": begun}
    yield {"type": f"response.{name}.delta", **at, "delta": said, **more}
    for index, mark in enumerate(part.get("annotations") or ()):
        place = {**at, "annotation_index": index}
        yield {"type": "response.output_text.annotation.added", **place, "annotation": mark}
    yield {"type": f"response.{name}.done", **at, told: said, **more}
    yield {"type": "response.content_part.done", **at, "part": part}


def _summary(part: Members, at: Members) -> Iterator[Members]:
    of = "response.reasoning_summary"
    yield {"type": f"{of}_part.added", **at, "part": {**part, "text": ""}}
    yield {"type": f"{of}_text.delta", **at, "delta": part["text"]}
    yield {"type": f"{of}_text.done", **at, "text": part["text"]}
    yield {"type": f"{of}_part.done", **at, "part": part}
