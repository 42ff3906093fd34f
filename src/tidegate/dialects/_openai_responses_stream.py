"""An answer written as a stream of OpenAI's Responses.

`response.created` and `response.in_progress`, then each item (added, its parts and deltas, done),
then one terminal event with the whole answer and its usage. Events are numbered from 0. An item is
told to be done once it is known whether the answer went on after it: one that was cut says so.
"""

from typing import Any, Final

import msgspec

from tidegate.core.ask import Ask, Usage
from tidegate.core.conversation import Reasoning, ToolCall
from tidegate.core.plugs import Stamp
from tidegate.core.spoken import Began, Ended, Event, PartBegan, PartEnded, PartGrew, Used
from tidegate.dialects._openai_members import call_id_of
from tidegate.dialects._openai_responses_answer import (
    Item,
    call_item,
    ended,
    is_cut,
    item_id,
    message_item,
    reasoning_id,
    reasoning_item,
    refusal_part,
    response,
    signature_item,
    text_part,
)

_encode = msgspec.json.Encoder().encode
_PREFIXES: Final = {"text": "msg", "refusal": "msg", "reasoning": "rs", "tool_call": "fc"}
# Of each kind of part: the event that brings more, what says where in its item, and its end.
_DELTAS: Final[dict[str, tuple[bytes, bytes, bytes]]] = {
    "text": (b"response.output_text.delta", b'"content_index":0,', b',"logprobs":[]}\n\n'),
    "refusal": (b"response.refusal.delta", b'"content_index":0,', b"}\n\n"),
    "reasoning": (b"response.reasoning_summary_text.delta", b'"summary_index":0,', b"}\n\n"),
    "tool_call": (b"response.function_call_arguments.delta", b"", b"}\n\n"),
}
_DELTA: Final = b'event: %b\ndata: {"type":"%b","item_id":%b,"output_index":%d,%b"delta":'


class _Open:
    """A part on its way into an item. `index` is -1 until the item has begun."""

    __slots__ = ("began", "carried", "head", "id", "index", "pieces", "tail")

    def __init__(self, began: PartBegan) -> None:
        self.began = began
        self.index = -1
        self.id = ""
        self.head = self.tail = b""
        self.pieces: list[str] = []
        self.carried: dict[str, list[str]] = {}

    def grown(self, name: str) -> str | None:
        pieces = self.carried.get(name)
        return None if pieces is None else "".join(pieces)


class OpenAIResponsesWriter:
    """core.plugs.SpokenWriter for OpenAI's Responses."""

    __slots__ = (
        "_ask",
        "_begun",
        "_end",
        "_ending",
        "_open",
        "_output",
        "_response",
        "_stamp",
        "_usage",
        "sequence",
    )

    def __init__(self, ask: Ask, stamp: Stamp) -> None:
        self._ask = ask
        self._stamp = stamp
        self._begun = False
        self._response: dict[str, Any] = {}
        self._open: dict[int, _Open] = {}
        self._ending: list[_Open] = []
        self._output: list[Item] = []
        self._end: Ended | None = None
        self._usage: Usage | None = None
        self.sequence = 0

    def write(self, events: list[Event]) -> bytes:
        if len(events) == 1:
            return self._write(events[0])
        return b"".join([self._write(event) for event in events])

    def close(self) -> bytes:
        shown = self._begin(Began()) + self._finish_all()
        reason = None if self._end is None else self._end.reason
        whole = ended(self._response, self._output, self._usage, reason)
        return shown + self._event(f"response.{whole['status']}", response=whole)

    def _write(self, event: Event) -> bytes:
        if type(event) is PartGrew:
            return b"" if event.choice else self._grow(event)
        if isinstance(event, Used):
            self._usage = event.usage
            return b""
        if isinstance(event, Began):
            return self._begin(event)
        if event.choice:
            return b""  # this wire has one answer
        if isinstance(event, PartBegan):
            return self._begin_part(event)
        if isinstance(event, PartEnded):
            part = self._open.pop(event.index, None)
            if part is not None:
                self._ending.append(part)
            return b""
        if isinstance(event, Ended):
            self._end = event
            return self._finish_all()
        return b""

    def _event(self, name: str, /, **members: Any) -> bytes:
        body = _encode({"type": name, "sequence_number": self.sequence, **members})
        self.sequence += 1
        return b"event: %b\ndata: %b\n\n" % (name.encode(), body)

    def _begin(self, began: Began) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        self._usage = self._usage or began.usage
        self._response = response(self._ask, self._stamp, began.model)
        created = self._event("response.created", response=self._response)
        return created + self._event("response.in_progress", response=self._response)

    def _begin_part(self, began: PartBegan) -> bytes:
        shown = self._begin(Began()) + self._finish_ended(cut=False)
        part = self._open[began.index] = _Open(began)
        return shown + self._begin_item(part) if began.kind == "tool_call" else shown

    def _begin_item(self, part: _Open) -> bytes:
        """The item, and the place in it that grows."""
        part.index = len(self._output)
        kind = part.began.kind
        part.id = item_id(_PREFIXES[kind], self._stamp, part.index)
        if kind == "reasoning":
            part.id = reasoning_id(self._reasoning(part), self._stamp, part.index)
        name, place, part.tail = _DELTAS[kind]
        part.head = _DELTA % (name, name, _encode(part.id), part.index, place)
        item = self._item(part, "in_progress")
        self._output.append(item)
        shown = self._event("response.output_item.added", output_index=part.index, item=item)
        if kind in ("text", "refusal"):
            return shown + self._at("content_part.added", part, part=self._content(part))
        return shown

    def _at(self, name: str, of: _Open, /, **members: Any) -> bytes:
        """An event about the part within its item."""
        place: dict[str, Any] = {"item_id": of.id, "output_index": of.index}
        if of.began.kind != "tool_call":
            where = "summary_index" if of.began.kind == "reasoning" else "content_index"
            place[where] = 0
        return self._event(f"response.{name}", **place, **members)

    def _grow(self, grown: PartGrew) -> bytes:
        part = self._open.get(grown.index)
        if part is None:
            return b""
        kind = part.began.kind
        if grown.grown != ("arguments" if kind == "tool_call" else "text"):
            part.carried.setdefault(grown.grown, []).append(grown.text)
            return b""
        shown = b""
        if part.index < 0:
            shown = self._begin_item(part)
        if kind == "reasoning" and not part.pieces:
            empty = {"type": "summary_text", "text": ""}
            shown += self._at("reasoning_summary_part.added", part, part=empty)
        part.pieces.append(grown.text)
        number = b',"sequence_number":%d' % self.sequence
        self.sequence += 1
        return b"%b%b%b%b%b" % (shown, part.head, _encode(grown.text), number, part.tail)

    def _finish_all(self) -> bytes:
        self._ending += self._open.values()
        self._open = {}
        return self._finish_ended(cut=self._end is not None and is_cut(self._end.reason))

    def _finish_ended(self, *, cut: bool) -> bytes:
        """What is done of those that grow no more; of a `cut` answer the last is not whole."""
        ending, self._ending = self._ending, []
        last = max((part.index for part in ending), default=-1)
        return b"".join(
            [
                self._finish(part, "incomplete" if cut and part.index == last else "completed")
                for part in ending
            ]
        )

    def _finish(self, part: _Open, status: str) -> bytes:
        kind, text = part.began.kind, "".join(part.pieces)
        shown = b""
        if part.index < 0:
            if not part.carried:
                return b""
            shown = self._begin_item(part)
        if kind == "text":
            shown += self._at("output_text.done", part, text=text, logprobs=[])
        elif kind == "refusal":
            shown += self._at("refusal.done", part, refusal=text)
        elif kind == "tool_call":
            shown += self._at("function_call_arguments.done", part, arguments=text)
        elif text:
            shown += self._at("reasoning_summary_text.done", part, text=text)
            summary = {"type": "summary_text", "text": text}
            shown += self._at("reasoning_summary_part.done", part, part=summary)
        if kind in ("text", "refusal"):
            shown += self._at("content_part.done", part, part=self._content(part))
        item = self._output[part.index] = self._item(part, status)
        shown += self._event("response.output_item.done", output_index=part.index, item=item)
        return shown + self._sign(part) if "signature" in part.carried else shown

    def _sign(self, part: _Open) -> bytes:
        """What signs a call follows it."""
        if part.began.kind != "tool_call":
            return b""
        index = len(self._output)
        call_id = call_id_of(part.began.call_id, self._stamp, part.index)
        call = ToolCall(call_id, "", "", part.grown("signature"), part.began.wire)
        item = signature_item(item_id("rs", self._stamp, index), call)
        self._output.append(item)
        added = self._event("response.output_item.added", output_index=index, item=item)
        return added + self._event("response.output_item.done", output_index=index, item=item)

    def _content(self, part: _Open) -> Item:
        text = "".join(part.pieces)
        return refusal_part(text) if part.began.kind == "refusal" else text_part(text)

    def _reasoning(self, part: _Open) -> Reasoning:
        began = part.began
        signature, sealed = part.grown("signature"), part.grown("sealed")
        return Reasoning("".join(part.pieces), signature, sealed, began.wire, began.id)

    def _item(self, part: _Open, status: str) -> Item:
        """The item as it stands; while it is in progress, without its content."""
        began = part.began
        if began.kind == "tool_call":
            call_id = call_id_of(began.call_id, self._stamp, part.index)
            arguments = "".join(part.pieces)
            return call_item(part.id, status, call_id, began.name or "", arguments)
        if began.kind == "reasoning":
            return reasoning_item(part.id, self._reasoning(part))
        content = [] if status == "in_progress" else [self._content(part)]
        return message_item(part.id, status, content)
