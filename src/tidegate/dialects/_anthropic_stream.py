"""An answer written as Anthropic's Messages stream, which knows one order and no other.

`message_start`, then one block after the other (start, deltas, stop), then `message_delta` with
the stop reason and the usage, then `message_stop`. Parts that overlap elsewhere come one after
the other here: what grows out of turn is held until the block before it is complete.
"""

from collections import deque
from typing import Any, Final

import msgspec

from tidegate.core.ask import Ask, Usage
from tidegate.core.plugs import Stamp
from tidegate.core.spoken import Began, Ended, Event, PartBegan, PartEnded, PartGrew, Reason, Used
from tidegate.dialects._carriers import mark
from tidegate.text.strict_json import UNREADABLE

STOP_REASONS: Final[dict[Reason, str]] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "context_full": "model_context_window_exceeded",
    "tool_calls": "tool_use",
    "refusal": "refusal",
    "pause": "pause_turn",
}
# How often the arguments of a call that goes on are looked at, whether they are whole.
MAX_CHECKS: Final = 8
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, Any]).decode
MESSAGE_STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_DELTA: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
_STOP: Final = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
# The delta that brings more of a kind of part, up to its text.
_GROWS: Final[dict[tuple[str, str], bytes]] = {
    ("text", "text"): b'"delta":{"type":"text_delta","text":',
    ("refusal", "text"): b'"delta":{"type":"text_delta","text":',
    ("reasoning", "text"): b'"delta":{"type":"thinking_delta","thinking":',
    ("tool_call", "arguments"): b'"delta":{"type":"input_json_delta","partial_json":',
}


def is_object(arguments: str) -> bool:
    """It is the text of a whole JSON object, with nothing in it that no parser could hold."""
    try:
        _object(arguments)
    except UNREADABLE:
        return False
    return True


def call_id_of(given: str | None, stamp: Stamp, number: int) -> str:
    """A call's id; one of ours where its provider gave none, because the caller answers by it."""
    return given or f"toolu_{stamp.id}_{number}"


def usage_members(usage: Usage | None) -> dict[str, Any]:
    """Anthropic's `usage`, whose members must be numbers: those that nobody knows are left out, but
    for `output_tokens`, without which clients do not read it."""
    if usage is None or usage.conflict:
        return {"output_tokens": 0}
    output = None
    if usage.output_tokens is not None:
        output = usage.output_tokens + (usage.reasoning_tokens or 0)
    told = {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": output or 0,
    }
    members: dict[str, Any] = {name: count for name, count in told.items() if count is not None}
    if usage.reasoning_tokens is not None:
        members["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return members


class _Block:
    """A part on its way into a block. What came before its turn waits in `held`."""

    __slots__ = ("began", "call_id", "carried", "checks", "ended", "held", "index", "pieces")

    def __init__(self, began: PartBegan) -> None:
        self.began = began
        self.call_id = ""
        self.index = -1  # until it has one of the message's
        self.ended = False
        self.checks = 0
        self.held: list[PartGrew] = []
        self.pieces: list[str] = []
        self.carried: dict[str, list[str]] = {}

    @property
    def started(self) -> bool:
        return self.index >= 0

    def is_complete(self) -> bool:
        """It grows no more: it has ended, or its arguments are a whole object. That is looked at a
        few times only, because to look is to read all of them."""
        if self.ended or self.began.kind != "tool_call" or self.checks >= MAX_CHECKS:
            return self.ended
        if not self.pieces or not self.pieces[-1].rstrip().endswith("}"):
            return False
        self.checks += 1
        return is_object("".join(self.pieces))

    def grown(self, name: str) -> str | None:
        pieces = self.carried.get(name)
        return None if pieces is None else "".join(pieces)


class AnthropicWriter:
    """core.plugs.SpokenWriter for Anthropic's Messages."""

    sequence = 0  # this wire numbers no events
    __slots__ = ("_ask", "_begun", "_blocks", "_end", "_open", "_out", "_stamp", "_usage", "_used")

    def __init__(self, ask: Ask, stamp: Stamp) -> None:
        self._ask = ask
        self._stamp = stamp
        self._begun = False
        self._blocks: dict[int, _Block] = {}
        self._open: deque[_Block] = deque()
        self._used = 0
        self._out: list[bytes] = []
        self._end: Ended | None = None
        self._usage: Usage | None = None

    def write(self, events: list[Event]) -> bytes:
        for event in events:
            self._write(event)
        return self._taken()

    def close(self) -> bytes:
        self._begin(Began())
        self._finish_all()
        reason = None if self._end is None else STOP_REASONS[self._end.reason]
        stop_sequence = None if self._end is None else self._end.stop_sequence
        delta = {"stop_reason": reason, "stop_sequence": stop_sequence}
        self._put("message_delta", {"delta": delta, "usage": usage_members(self._usage)})
        return self._taken() + MESSAGE_STOP

    def _taken(self) -> bytes:
        out, self._out = self._out, []
        return b"".join(out)

    def _put(self, name: str, members: dict[str, Any]) -> None:
        told = _encode({"type": name, **members})
        self._out.append(b"event: %b\ndata: %b\n\n" % (name.encode(), told))

    def _write(self, event: Event) -> None:
        if type(event) is PartGrew:
            if not event.choice:
                self._grow(event)
        elif isinstance(event, Used):
            self._usage = event.usage
        elif isinstance(event, Began):
            self._begin(event)
        elif event.choice:
            return  # this wire has one answer
        elif isinstance(event, PartBegan):
            self._begin_part(event)
        elif isinstance(event, PartEnded):
            self._end_part(event)
        elif isinstance(event, Ended):
            self._end = event
            self._finish_all()

    def _begin(self, began: Began) -> None:
        if self._begun:
            return
        self._begun = True
        self._usage = self._usage or began.usage
        message: dict[str, Any] = {
            "id": began.id or f"msg_{self._stamp.id}",
            "type": "message",
            "role": "assistant",
            "model": began.model or self._ask.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            # Told at the end where it is not known yet; clients want a number here.
            "usage": {"input_tokens": 0, **usage_members(began.usage)},
        }
        self._put("message_start", {"message": message})

    def _begin_part(self, began: PartBegan) -> None:
        self._begin(Began())
        # A call whose arguments are a whole object grows no more, said to be ended or not.
        while self._open and self._open[0].is_complete():
            self._end_first()
        block = self._blocks[began.index] = _Block(began)
        self._open.append(block)
        if self._open[0] is block:
            self._start(block)

    def _grow(self, grown: PartGrew) -> None:
        block = self._blocks.get(grown.index)
        if block is None or block.ended:
            return
        if block is self._open[0]:
            self._show(block, grown)
        else:
            block.held.append(grown)

    def _end_part(self, ended: PartEnded) -> None:
        block = self._blocks.get(ended.index)
        if block is None or block.ended:
            return
        block.ended = True
        while self._open and self._open[0].ended:
            self._end_first()

    def _finish_all(self) -> None:
        while self._open:
            self._end_first()

    def _end_first(self) -> None:
        """Ends the block whose turn it is; the next one's has come."""
        block = self._open.popleft()
        block.ended = True
        self._close_block(block)
        if self._open:
            self._start(self._open[0])

    def _start(self, block: _Block) -> None:
        """Its turn has come."""
        if block.began.kind == "tool_call":
            self._open_block(block)
        held, block.held = block.held, []
        for grown in held:
            self._show(block, grown)

    def _open_block(self, block: _Block) -> None:
        block.index = self._used
        self._used += 1
        began = block.began
        content: dict[str, Any] = {"type": "text", "text": ""}
        if began.kind == "tool_call":
            block.call_id = call_id_of(began.call_id, self._stamp, block.index)
            content = {"type": "tool_use", "id": block.call_id, "name": began.name or ""}
            content["input"] = {}
        elif began.kind == "reasoning":
            content = {"type": "thinking", "thinking": "", "signature": ""}
        self._put("content_block_start", {"index": block.index, "content_block": content})

    def _show(self, block: _Block, grown: PartGrew) -> None:
        kind = block.began.kind
        delta = _GROWS.get((kind, grown.grown))
        if delta is None:
            block.carried.setdefault(grown.grown, []).append(grown.text)
            return
        if block.index < 0:
            self._open_block(block)
        if kind == "tool_call":
            block.pieces.append(grown.text)
        told = _encode(grown.text)
        self._out.append(b"%b%b%b}}\n\n" % (_DELTA % block.index, delta, told))

    def _close_block(self, block: _Block) -> None:
        """Its end, with what only its own wire's models can read."""
        began = block.began
        signature, sealed = block.grown("signature"), block.grown("sealed")
        if began.kind == "reasoning":
            if sealed is not None and not block.started:
                self._put_sealed(mark(began.wire, "sealed", began.id, sealed))
                return
            kind = "signature" if sealed is None else "sealed"
            payload = signature if sealed is None else sealed
            if payload is not None:
                if not block.started:
                    self._open_block(block)
                text = mark(began.wire, kind, began.id, payload)
                delta = {"type": "signature_delta", "signature": text}
                self._put("content_block_delta", {"index": block.index, "delta": delta})
        if block.started:
            self._out.append(_STOP % block.index)
        if began.kind == "tool_call" and signature is not None:
            self._put_sealed(mark(began.wire, "call", block.call_id, signature))

    def _put_sealed(self, data: str) -> None:
        index = self._used
        self._used += 1
        content = {"type": "redacted_thinking", "data": data}
        self._put("content_block_start", {"index": index, "content_block": content})
        self._out.append(_STOP % index)
