"""Rewrites streams of OpenAI's Responses.

A text that grows by `...delta` events is told whole by a `...done`, by its part, by its item and by
the response: all of them say what went out. Events are numbered anew, as some fall away and some
are added.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tidegate.core.rewriting import NO_ANSWER, TOKENS, TextKind, Texts
from tidegate.dialects._rewriter import WireRewriter, decode, encode
from tidegate.text.sse import data_of
from tidegate.text.strict_json import UNREADABLE

_DELTA: Final = ".delta"
_DONE: Final = ".done"
_TEXT: Final = "response.output_text"
_KINDS: Final[dict[str, TextKind]] = {
    "response.output_text": "content",
    "response.refusal": "refusal",
    "response.reasoning_text": "reasoning",
    "response.reasoning_summary_text": "reasoning",
}
# Of calls, which are JSON or code: nothing of them goes out before they are whole.
_CALLS: Final = frozenset(
    {"response.function_call_arguments", "response.mcp_call_arguments"}
    | {"response.custom_tool_call_input", "response.code_interpreter_call_code"}
)
# The member of a `.done` event that has the whole.
_WHOLES: Final = ("text", "refusal", "arguments", "input", "code", "transcript", "diff", "command")
_PLACE: Final = ("item_id", "output_index", "content_index", "summary_index")
_TOLD_AGAIN: Final = frozenset({"part", "item"})
# Of an event, what is no text.
_OF_EVENT: Final = NO_ANSWER | {
    *(*_PLACE, "sequence_number", "response", "annotation_index", "partial_image_index"),
    *("partial_image_b64", "error", "code", "param", "event_id"),
}
# Sound, which nobody can look through.
_SOUND: Final = "response.audio"


class _Delta(Struct):
    """More of a message's text, the event that there are most of."""

    type: Literal["response.output_text.delta"]
    item_id: str
    output_index: int
    content_index: int
    delta: str
    sequence_number: int
    logprobs: list[Any] | UnsetType = UNSET


_delta: Final = msgspec.json.Decoder(_Delta).decode
_DELTA_EVENT: Final = b"event: response.output_text.delta\ndata: "


class OpenAIResponsesRewriter(WireRewriter):
    """core.rewriting.Rewriter for Responses."""

    def __init__(self, texts: Texts) -> None:
        super().__init__(texts)
        self._next: int | None = None
        self._deltas: dict[Any, dict[str, Any]] = {}
        self._pieces: dict[Any, list[str]] = {}
        self._names: dict[Any, tuple[int, str]] = {}

    @property
    def sequence(self) -> int:  # type: ignore[override]
        return self._next or 0

    def feed(self, data: bytes) -> bytes:
        if data.startswith(_DELTA_EVENT) and data.count(b"\n") == 3 and data.endswith(b"}\n\n"):
            shown = self._plain(data[len(_DELTA_EVENT) : -2])
            if shown is not None:
                return shown
        return super().feed(data)

    def overdue(self) -> bytes:
        out = []
        for place, channel in self._open.items():
            shown = channel.overdue()
            if shown:
                out.append(self._grown(place, shown))
        return b"".join(out)

    def end(self, terminal: bytes) -> bytes:
        out = [self._close(place) for place in [*self._open, *self._pieces]]
        out += [self._take(event) for event in self._splitter.feed(terminal)]
        return b"".join(out)

    def _take(self, event: bytes) -> bytes:
        payload = data_of(event)
        if payload is None:
            return event
        try:
            told = decode(payload)
        except UNREADABLE:
            return event
        kind = told.get("type")
        if not isinstance(kind, str):
            return event
        if self._next is None:
            number = told.get("sequence_number")
            self._next = number if isinstance(number, int) else 0
        base = kind.removesuffix(_DELTA).removesuffix(_DONE)
        place = (base, *(told.get(name) for name in _PLACE))
        if self.texts.changes and base == _SOUND:
            return b""
        if kind.endswith(_DELTA) and isinstance(told.get("delta"), str):
            if base in _KINDS or (self.texts.changes and base not in _CALLS):
                return self._grow(told, place, _KINDS.get(base, "other"))
            if base in _CALLS and self.texts.changes:
                self._deltas.setdefault(place, told)
                self._pieces.setdefault(place, []).append(told["delta"])
                return b""
            self.started = True
        elif kind.endswith(_DONE) and (base in _KINDS or base in _CALLS or place in self._deltas):
            return self._close(place) + self._numbered(self._done(told, place, base))
        return self._numbered(self._other(told, kind))

    def _plain(self, payload: bytes) -> bytes | None:
        """The usual event, without what is in it for nobody; None where it is another."""
        try:
            told = _delta(payload)
        except UNREADABLE:
            return None
        if self._next is None or (told.logprobs and not self.texts.changes):
            return None
        place = (_TEXT, told.item_id, told.output_index, told.content_index, None)
        channel = self._open.get(place)
        if channel is None:  # the first of its text is kept, to tell the rest by
            return None
        told.delta = channel.add(told.delta)
        if not told.delta:
            return b""
        self.started = True
        if told.logprobs is not UNSET:
            told.logprobs = []
        told.sequence_number, self._next = self._next, self._next + 1
        return b"%b%b\n\n" % (_DELTA_EVENT, encode(told))

    def _grow(self, told: dict[str, Any], place: Any, kind: TextKind) -> bytes:
        self._deltas.setdefault(place, told)
        shown = self._text(place, kind, 0).add(told["delta"])
        if not shown:
            return b""
        if self.texts.changes and "logprobs" in told:
            told["logprobs"] = []
        self.started = True
        return self._numbered({**told, "delta": shown})

    def _close(self, place: Any) -> bytes:
        """What is held of a text that is whole."""
        channel, pieces = self._open.pop(place, None), self._pieces.pop(place, None)
        shown = "" if channel is None else channel.end()
        if pieces is not None:
            shown = self._called(place, "".join(pieces))
        return self._grown(place, shown) if shown else b""

    def _called(self, place: Any, arguments: str) -> str:
        number, name = self._names.get(place[1], (0, ""))
        return self.texts.called(0, number, name, arguments)

    def _grown(self, place: Any, text: str) -> bytes:
        self.started = True
        told = {**self._deltas[place], "delta": text}
        if "logprobs" in told:
            told["logprobs"] = []
        return self._numbered(told)

    def _done(self, told: dict[str, Any], place: Any, base: str) -> dict[str, Any]:
        if not self.texts.changes:
            return told
        grew = self._deltas.pop(place, None) is not None
        for name in _WHOLES:
            if isinstance(told.get(name), str):
                again = self.texts.again if grew else self.texts.value
                told = again({name: told[name]}) | {k: v for k, v in told.items() if k != name}
        if "logprobs" in told:
            told["logprobs"] = []
        return told

    def _other(self, told: dict[str, Any], kind: str) -> dict[str, Any]:
        item = told.get("item")
        name = item.get("name") if isinstance(item, dict) else None
        if kind == "response.output_item.added" and isinstance(name, str):
            self._names[told["item"].get("id")] = (len(self._names), name)
        if not self.texts.changes:
            return told
        changed: dict[str, Any] = {}
        for name in told.keys() - _OF_EVENT:
            made = self.texts.again if name in _TOLD_AGAIN else self.texts.value
            changed[name] = made(told[name])
        response = told.get("response")
        if isinstance(response, dict):
            changed["response"] = {
                name: it if name in NO_ANSWER else self.texts.again(it)
                for name, it in response.items()
                if name not in TOKENS
            }
        return {**told, **changed} if changed else told

    def _numbered(self, told: dict[str, Any]) -> bytes:
        if "sequence_number" in told:
            told = {**told, "sequence_number": self._next}
            self._next = (self._next or 0) + 1
        return b"event: %b\ndata: %b\n\n" % (str(told["type"]).encode(), encode(told))
