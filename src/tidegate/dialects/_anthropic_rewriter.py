"""Rewrites streams of Anthropic's Messages.

What is held of a block goes out in a delta of its own before the block's stop. The input of a tool
waits for it where guardrails look through it. Thinking that was changed loses its signature, which
would not fit it any more.
"""

from typing import Any, Final

from tidegate.core.rewriting import NO_ANSWER, TextKind, Texts
from tidegate.dialects._rewriter import WireRewriter, decode, encode
from tidegate.text.sse import data_of
from tidegate.text.strict_json import UNREADABLE

_MEMBERS: Final[dict[str, tuple[str, TextKind]]] = {
    "text_delta": ("text", "content"),
    "thinking_delta": ("thinking", "reasoning"),
}
_KNOWN: Final = frozenset({*_MEMBERS, "input_json_delta", "signature_delta"})
# Of an event, what is no text, and what has members as an answer has.
_OF_EVENT: Final = NO_ANSWER | {"index", "error"}
_MEMBERS_OF: Final = frozenset({"message", "delta"})
_DELTAS: Final = {member: (delta, kind) for delta, (member, kind) in _MEMBERS.items()}


class _Block:
    """A block on its way: the pieces of a tool's input, or thinking as it came and was shown."""

    __slots__ = ("came", "name", "number", "pieces", "shown", "signatures")

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.pieces: list[str] = []
        self.signatures: list[bytes] = []
        self.came: list[str] = []
        self.shown: list[str] = []


class AnthropicRewriter(WireRewriter):
    """core.rewriting.Rewriter for Anthropic's own callers."""

    def __init__(self, texts: Texts) -> None:
        super().__init__(texts)
        self._blocks: dict[Any, _Block] = {}
        self._calls = 0

    def overdue(self) -> bytes:
        out = []
        for (index, member), channel in self._open.items():
            shown = channel.overdue()
            if shown:
                out.append(self._delta_of(index, member, shown))
        self._before = b""
        return b"".join(out)

    def end(self, terminal: bytes) -> bytes:
        open_blocks = dict.fromkeys([*self._blocks, *(index for index, _ in self._open)])
        rest = b"".join([self._rest(index) for index in open_blocks])
        return rest + b"".join([self._take(event) for event in self._splitter.feed(terminal)])

    def _take(self, event: bytes) -> bytes:
        payload = data_of(event)
        if payload is None:
            return event
        try:
            told = decode(payload)
        except UNREADABLE:
            return event
        kind, index = told.get("type"), told.get("index")
        if kind == "content_block_start":
            return self._begin(event, told, index)
        if kind == "content_block_delta" and isinstance(told.get("delta"), dict):
            return self._grow(event, told, index)
        if kind == "content_block_stop":
            self._before = b""
            return self._rest(index) + event
        if kind == "message_delta":  # whatever has not been stopped grows no more
            rest = b"".join([self._rest(it) for it in list(self._blocks)])
            return rest + self._other(event, told)
        return self._other(event, told)

    def _other(self, event: bytes, told: dict[str, Any]) -> bytes:
        """An event of no block, with what of it may be a text as it may go out."""
        if not self.texts.changes or "type" not in told:
            return event
        made = self._unheard(told)
        return event if made is told else _event(made)

    def _unheard(self, value: dict[str, Any]) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for name, it in value.items():
            if name in _OF_EVENT or not isinstance(it, str | list | dict):
                continue
            if name in _MEMBERS_OF and isinstance(it, dict):
                made = self._unheard(it)
            else:
                made = self.texts.value({name: it})[name]
            if made is not it:
                changed[name] = made
        return {**value, **changed} if changed else value

    def _begin(self, event: bytes, told: dict[str, Any], index: Any) -> bytes:
        block = told.get("content_block")
        if not isinstance(block, dict):
            return event
        name = block.get("name")
        number = self._calls
        if block.get("type") == "tool_use":
            self._calls += 1
        self._blocks[index] = _Block(name if isinstance(name, str) else "", number)
        first = {
            member: it for member in _DELTAS if isinstance(it := block.get(member), str) and it
        }
        for member in first:
            block[member] = ""
        made = self.texts.value(block) if self.texts.changes else block
        if made is block and not first:
            return event
        told["content_block"] = made
        out = _event(told)
        for member, text in first.items():
            shown = self._text((index, member), _DELTAS[member][1], 0).add(text)
            out += self._delta_of(index, member, shown) if shown else b""
        return out

    def _grow(self, event: bytes, told: dict[str, Any], index: Any) -> bytes:
        delta = told["delta"]
        kind = delta.get("type")
        if kind in _MEMBERS:
            return self._more(event, delta, index, *_MEMBERS[kind])
        if kind == "input_json_delta" and self.texts.changes:
            piece = delta.get("partial_json")
            if isinstance(piece, str):
                self._block(index).pieces.append(piece)
            return b""
        if kind == "signature_delta" and self.texts.changes:
            self._block(index).signatures.append(event)
            return b""
        if kind not in _KNOWN and self.texts.changes:
            made = self.texts.value(delta)
            return event if made is delta else _event({**told, "delta": made})
        self.started = True
        return event

    def _more(
        self, event: bytes, delta: dict[str, Any], index: Any, member: str, kind: TextKind
    ) -> bytes:
        text = delta.get(member)
        if not isinstance(text, str) or not text:
            return event
        channel = self._text((index, member), kind, 0)
        shown = channel.add(text)
        if kind == "reasoning":
            self._block(index).came.append(text)
        else:
            self._learn(event, text, channel)
        if not shown:
            return b""
        if shown == text and kind != "reasoning":
            self.started = True
            return event
        return self._delta_of(index, member, shown)

    def _block(self, index: Any) -> _Block:
        found = self._blocks.get(index)
        if found is None:
            found = self._blocks[index] = _Block("", self._calls)
        return found

    def _rest(self, index: Any) -> bytes:
        """What is held of a block that has ended."""
        block = self._block(index)
        out = []
        for place in [place for place in self._open if place[0] == index]:
            shown = self._open.pop(place).end()
            if shown:
                out.append(self._delta_of(index, place[1], shown))
        if block.pieces:
            arguments = self.texts.called(0, block.number, block.name, "".join(block.pieces))
            delta = {"type": "input_json_delta", "partial_json": arguments}
            out.append(_event({"type": "content_block_delta", "index": index, "delta": delta}))
            self.started = True
        if block.signatures and "".join(block.came) == "".join(block.shown):
            out += block.signatures
        del self._blocks[index]
        self._before = b""
        return b"".join(out)

    def _delta_of(self, index: Any, member: str, text: str) -> bytes:
        self.started = True
        kind, what = _DELTAS[member]
        if what == "reasoning":
            self._block(index).shown.append(text)
        delta = {"type": kind, member: text}
        return _event({"type": "content_block_delta", "index": index, "delta": delta})


def _event(told: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (str(told["type"]).encode(), encode(told))
