"""An answer written as Anthropic's Messages stream, which knows one order and no other.

`message_start`, then one block after the other (start, deltas, stop), then `message_delta` with
the stop reason and the usage, then `message_stop`. Parts that overlap elsewhere come one after
the other here: what grows out of turn is held until the block before it is complete.
"""

from typing import Any, Final

import msgspec

from tidegate.core.ask import Ask, Usage
from tidegate.core.plugs import Stamp
from tidegate.core.spoken import Began, Ended, Event, PartBegan, PartEnded, PartGrew, Reason, Used
from tidegate.dialects._carriers import mark

STOP_REASONS: Final[dict[Reason, str]] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "context_full": "model_context_window_exceeded",
    "tool_calls": "tool_use",
    "refusal": "refusal",
    "pause": "pause_turn",
}
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
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
    """It is the text of a whole JSON object."""
    try:
        _object(arguments)
    except _UNREADABLE:
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


def _message(name: str, members: dict[str, Any]) -> bytes:
    event = name.encode()
    return b"event: %b\ndata: %b\n\n" % (event, _encode({"type": name, **members}))


class _Block:
    """A part on its way into a block. What came before its turn waits in `held`."""

    __slots__ = ("began", "call_id", "carried", "ended", "held", "index", "pieces", "started")

    def __init__(self, began: PartBegan) -> None:
        self.began = began
        self.index = -1
        self.started = False
        self.ended = False
        self.held: list[PartGrew] = []
        self.pieces: list[str] = []
        self.carried: dict[str, str] = {}
        self.call_id = ""


class AnthropicWriter:
    """core.plugs.SpokenWriter for Anthropic's Messages."""

    sequence = 0  # this wire numbers no events
    __slots__ = ("_ask", "_begun", "_blocks", "_end", "_open", "_stamp", "_usage", "_used")

    def __init__(self, ask: Ask, stamp: Stamp) -> None:
        self._ask = ask
        self._stamp = stamp
        self._begun = False
        self._blocks: dict[int, _Block] = {}
        self._open: list[_Block] = []
        self._used = 0
        self._end: Ended | None = None
        self._usage: Usage | None = None

    def write(self, events: list[Event]) -> bytes:
        if len(events) == 1:
            return self._write(events[0])
        return b"".join([self._write(event) for event in events])

    def close(self) -> bytes:
        shown = self._begin(Began()) + self._finish_all()
        reason = None if self._end is None else STOP_REASONS[self._end.reason]
        stop_sequence = None if self._end is None else self._end.stop_sequence
        delta = {"stop_reason": reason, "stop_sequence": stop_sequence}
        usage = usage_members(self._usage)
        return shown + _message("message_delta", {"delta": delta, "usage": usage}) + MESSAGE_STOP

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
            return self._end_part(event)
        if isinstance(event, Ended):
            self._end = event
            return self._finish_all()
        return b""

    def _begin(self, began: Began) -> bytes:
        if self._begun:
            return b""
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
        return _message("message_start", {"message": message})

    def _begin_part(self, began: PartBegan) -> bytes:
        shown = self._begin(Began())
        block = self._blocks[began.index] = _Block(began)
        # A call whose arguments are a whole object grows no more, said to be ended or not.
        while self._open and self._is_complete(self._open[0]):
            shown += self._stop(self._open[0])
        self._open.append(block)
        if len(self._open) == 1:
            shown += self._start(block)
        return shown

    def _is_complete(self, block: _Block) -> bool:
        return block.ended or (block.began.kind == "tool_call" and is_object("".join(block.pieces)))

    def _grow(self, grown: PartGrew) -> bytes:
        block = self._blocks.get(grown.index)
        if block is None or block.ended:
            return b""
        if block is self._open[0]:
            return self._show(block, grown)
        block.held.append(grown)
        return b""

    def _end_part(self, ended: PartEnded) -> bytes:
        block = self._blocks.get(ended.index)
        if block is None or block.ended:
            return b""
        block.ended = True
        return self._stop(block) if block is self._open[0] else b""

    def _finish_all(self) -> bytes:
        shown = b""
        while self._open:
            shown += self._stop(self._open[0])
        return shown

    def _start(self, block: _Block) -> bytes:
        """Its turn has come."""
        shown = self._open_block(block) if block.began.kind == "tool_call" else b""
        held, block.held = block.held, []
        for grown in held:
            shown += self._show(block, grown)
        return shown

    def _open_block(self, block: _Block) -> bytes:
        block.started = True
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
        members = {"index": block.index, "content_block": content}
        return _message("content_block_start", members)

    def _show(self, block: _Block, grown: PartGrew) -> bytes:
        began = block.began
        delta = _GROWS.get((began.kind, grown.grown))
        if delta is None:
            block.carried[grown.grown] = block.carried.get(grown.grown, "") + grown.text
            return b""
        shown = b"" if block.started else self._open_block(block)
        if began.kind == "tool_call":
            block.pieces.append(grown.text)
        return b"%b%b%b%b}}\n\n" % (shown, _DELTA % block.index, delta, _encode(grown.text))

    def _stop(self, block: _Block) -> bytes:
        """Ends the block, and lets those begin whose turn has come with it."""
        block.ended = True
        self._open.remove(block)
        shown = self._close_block(block)
        if self._open:
            following = self._open[0]
            shown += self._start(following)
            if following.ended:
                shown += self._stop(following)
        return shown

    def _close_block(self, block: _Block) -> bytes:
        """Its end, with what only its own wire's models can read."""
        began, shown = block.began, b""
        signature, sealed = block.carried.get("signature"), block.carried.get("sealed")
        if began.kind == "reasoning":
            if sealed is not None and not block.started:
                return self._sealed_block(mark(began.wire, "sealed", began.id, sealed))
            kind = "signature" if sealed is None else "sealed"
            payload = signature if sealed is None else sealed
            if payload is not None:
                shown = b"" if block.started else self._open_block(block)
                text = mark(began.wire, kind, began.id, payload)
                delta = {"type": "signature_delta", "signature": text}
                shown += _message("content_block_delta", {"index": block.index, "delta": delta})
        if block.started:
            shown += _STOP % block.index
        if began.kind == "tool_call" and signature is not None:
            shown += self._sealed_block(mark(began.wire, "call", block.call_id, signature))
        return shown

    def _sealed_block(self, data: str) -> bytes:
        index = self._used
        self._used += 1
        content = {"type": "redacted_thinking", "data": data}
        started = _message("content_block_start", {"index": index, "content_block": content})
        return started + _STOP % index
