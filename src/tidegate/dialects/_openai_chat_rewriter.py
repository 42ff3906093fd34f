"""Rewrites streams of OpenAI's chat and text completions.

What is held of a choice's texts goes out in a chunk of its own before the chunk that ends it. Calls
of tools wait for their end where guardrails look through them: their arguments are JSON, which only
then can be read. Log probabilities tell of texts token by token; where these may become others they
are left out.
"""

from typing import Any, Final

from tidegate.core.rewriting import NO_ANSWER, TOKENS, TextKind, Texts
from tidegate.dialects._rewriter import WireRewriter, decode, encode
from tidegate.text.sse import data_of
from tidegate.text.strict_json import UNREADABLE

_KINDS: Final[dict[str, TextKind]] = {
    "content": "content",
    "reasoning_content": "reasoning",
    "reasoning": "reasoning",
    "refusal": "refusal",
}
_CALLED: Final = frozenset({"tool_calls", "function_call"})
# Of a delta, what is no text though it is a string.
_NO_TEXT: Final = frozenset({"role", "name", "id", "type", "object", "signature"})
_OF_CHUNK: Final = NO_ANSWER | {"choices"}
_OF_CHOICE: Final = frozenset(
    {"index", "delta", "text", "finish_reason", "native_finish_reason", "stop_reason"}
    | {"matched_stop", "logprobs"}
)
_BESIDE: Final = ("logprobs", "token_ids")


class _Call:
    """A call on its way. `legacy`: OpenAI's first form, which has one and no number."""

    __slots__ = ("legacy", "name", "number", "pieces")

    def __init__(self, number: int, *, legacy: bool) -> None:
        self.number = number
        self.legacy = legacy
        self.name = ""
        self.pieces: list[str] = []


class OpenAIChatRewriter(WireRewriter):
    """core.rewriting.Rewriter for OpenAI's chunk streams."""

    def __init__(self, texts: Texts) -> None:
        super().__init__(texts)
        self._calls: dict[tuple[int, int], _Call] = {}
        self._last: dict[str, Any] = {}
        self._logprobs: dict[Any, dict[str, Any]] = {}
        self._beside: dict[str, Any] = {}

    def overdue(self) -> bytes:
        out = []
        for (choice, name), channel in self._open.items():
            shown = channel.overdue()
            if shown:
                out.append(self._chunk(self._piece(choice, name, shown)))
        self._before = b""
        return b"".join(out)

    def end(self, terminal: bytes) -> bytes:
        places = {choice for choice, _ in (*self._open, *self._calls)}
        rest = b"".join([self._rest(choice) for choice in sorted(places)])
        return rest + terminal

    def _take(self, event: bytes) -> bytes:
        payload = data_of(event)
        if payload is None or payload.startswith(b"[DONE]"):
            return event
        try:
            chunk = decode(payload)
        except UNREADABLE:
            return event  # no reader has let one pass that is none
        choices = chunk.get("choices")
        plain = _OF_CHUNK.issuperset(chunk)
        if not plain and self.texts.changes:
            chunk = self._headed(chunk)
        if not isinstance(choices, list) or not choices:
            return event if plain or not self.texts.changes else _event(chunk)
        self._last = {name: it for name, it in chunk.items() if name not in ("choices", "usage")}
        if (plain or not self.texts.changes) and self._only_text(event, choices):
            shown = self._plain(event, choices[0])
            if shown is not None:
                return shown
        before: list[bytes] = []
        kept = []
        for choice in choices:
            ahead, says = self._choice(choice)
            before += ahead
            if says:
                kept.append(choice)
        if not kept and chunk.get("usage") is None:
            return b"".join(before)
        chunk["choices"] = kept
        return b"".join([*before, _event(chunk)])

    def _headed(self, chunk: dict[str, Any]) -> dict[str, Any]:
        """With what else of it may be a text as it may go out. Some say the same in every chunk."""
        made: dict[str, Any] = {}
        for name, it in chunk.items():
            if name in TOKENS:
                continue
            if name in _OF_CHUNK or not isinstance(it, str | list | dict):
                made[name] = it
                continue
            again = self._beside.get(name) == it
            made |= (self.texts.again if again else self.texts.value)({name: it})
            self._beside[name] = it
        return made

    def _only_text(self, event: bytes, choices: list[Any]) -> bool:
        if len(choices) != 1 or not event.startswith(b"data: {") or not event.endswith(b"}\n\n"):
            return False
        choice = choices[0]
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict) or choice.get("finish_reason") is not None:
            return False
        says = [name for name, it in delta.items() if it is not None]
        if says != ["content"] or choice.get("logprobs") is not None:
            return False
        return _OF_CHOICE.issuperset(choice)

    def _plain(self, event: bytes, choice: dict[str, Any]) -> bytes | None:
        """An event with more of one choice's content and nothing else."""
        text, index = choice["delta"]["content"], choice.get("index", 0)
        if not isinstance(text, str) or not text or not isinstance(index, int):
            return None
        channel = self._text((index, "content"), "content", index)
        shown = channel.add(text)
        self._learn(event, text, channel)
        if not shown:
            return b""
        self.started = True
        if shown == text:
            return event
        return self._chunk(self._piece(index, "content", shown))

    def _choice(self, choice: Any) -> tuple[list[bytes], bool]:
        """(chunks that go before it, whether it still says anything), its texts replaced."""
        if not isinstance(choice, dict):
            return [], True
        index = choice.get("index", 0)
        self._take_tokens(choice, index)
        for name in choice.keys() - _OF_CHOICE if self.texts.changes else ():
            choice[name] = self.texts.value({name: choice[name]})[name]
        delta = choice.get("delta")
        says = False
        if isinstance(delta, dict):
            says = self._delta(delta, index)
        elif isinstance(choice.get("text"), str):
            choice["text"] = self._text((index, "text"), "content", index).add(choice["text"])
            says = bool(choice["text"])
            self.started = self.started or says
        if says:
            self._with_tokens(choice, index)
        before: list[bytes] = []
        if choice.get("finish_reason") is not None:
            rest = self._rest(index)
            before, says = [rest] if rest else [], True
        return before, says

    def _take_tokens(self, choice: dict[str, Any], index: int) -> None:
        """What tells the texts of a choice by the token waits with them, where they only wait; else
        it is left out."""
        if self.texts.changes:
            for name in TOKENS.intersection(choice):
                choice[name] = None
            return
        for name in _BESIDE:
            told = choice.get(name)
            if told is not None:
                choice[name] = None
                _join(self._logprobs.setdefault(index, {}), {name: told})

    def _delta(self, delta: dict[str, Any], index: int) -> bool:
        says = False
        for name in [name for name in delta if name in _KINDS or self._is_text(name)]:
            text = delta[name]
            if isinstance(text, str) and text:
                kind = _KINDS.get(name, "other")
                shown = self._text((index, name), kind, index).add(text)
                if shown:
                    delta[name] = shown
                    says = self.started = True
                else:
                    del delta[name]
        if self.texts.changes:
            self._whole(delta)
        called = delta.get("tool_calls") or delta.get("function_call")
        if called and self.texts.changes:
            called = self._hold_calls(delta, index)
        if called:
            says = self.started = True
        more = [name for name, it in delta.items() if it is not None and not _grows(name, it)]
        return says or any(name not in _CALLED for name in more)

    def _is_text(self, name: str) -> bool:
        """Whether a member that nobody here has heard of may be one."""
        return self.texts.changes and name not in _NO_TEXT and name not in _CALLED

    def _whole(self, delta: dict[str, Any]) -> None:
        """What comes whole beside its texts, or in their place as parts."""
        for name, it in delta.items():
            if isinstance(it, list | dict) and name not in _CALLED:
                delta[name] = self.texts.value({name: it})[name]

    def _hold_calls(self, delta: dict[str, Any], index: int) -> bool:
        """Takes their arguments out of it; whether it says something else of calls."""
        says = False
        calls = delta.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                number = call.get("index", place)
                said = call.get("function") or call.get("custom")
                says = self._hold(index, number, said, legacy=False) or says or "id" in call
        legacy = delta.get("function_call")
        if isinstance(legacy, dict):
            says = self._hold(index, -1, legacy, legacy=True) or says
        if not says:
            delta.pop("tool_calls", None)
            delta.pop("function_call", None)
        return says

    def _hold(self, index: int, number: Any, said: Any, *, legacy: bool) -> bool:
        """Keeps more of a call's arguments; whether its name is told."""
        place = (index, number if isinstance(number, int) else 0)
        call = self._calls.get(place)
        if call is None:
            call = self._calls[place] = _Call(place[1], legacy=legacy)
        if not isinstance(said, dict):
            return False
        for name in ("arguments", "input"):
            if isinstance(said.get(name), str):
                call.pieces.append(said[name])
                said[name] = ""
        if isinstance(said.get("name"), str) and said["name"]:
            call.name = said["name"]
            return True
        return False

    def _rest(self, index: int) -> bytes:
        """What is held of a choice that has ended."""
        out = []
        for place in [place for place in self._open if place[0] == index]:
            shown = self._open.pop(place).end()
            if shown:
                out.append(self._chunk(self._piece(index, place[1], shown)))
        for place in [place for place in self._calls if place[0] == index]:
            call = self._calls.pop(place)
            arguments = self.texts.called(
                index, max(call.number, 0), call.name, "".join(call.pieces)
            )
            if arguments:
                out.append(self._chunk(_more_of(call, index, arguments)))
        self._before = b""
        return b"".join(out)

    def _piece(self, index: int, name: str, text: str) -> dict[str, Any]:
        self.started = True
        choice: dict[str, Any] = {"index": index, "delta": {name: text}, "finish_reason": None}
        if name == "text":
            choice = {"index": index, "text": text, "logprobs": None, "finish_reason": None}
        self._with_tokens(choice, index)
        return choice

    def _with_tokens(self, choice: dict[str, Any], index: int) -> None:
        """Those of texts that were held."""
        choice.update(self._logprobs.pop(index, {}))

    def _chunk(self, choice: dict[str, Any]) -> bytes:
        return _event({**self._last, "choices": [choice]})


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % encode(chunk)


def _grows(name: str, value: Any) -> bool:
    return name in _KINDS and isinstance(value, str)


def _more_of(call: _Call, index: int, arguments: str) -> dict[str, Any]:
    if call.legacy:
        delta: dict[str, Any] = {"function_call": {"arguments": arguments}}
    else:
        delta = {"tool_calls": [{"index": call.number, "function": {"arguments": arguments}}]}
    return {"index": index, "delta": delta, "finish_reason": None}


def _join(held: dict[str, Any], more: dict[str, Any]) -> None:
    """Lists of what belongs to tokens, one after the other."""
    for name, it in more.items():
        if isinstance(held.get(name), list) and isinstance(it, list):
            held[name] = held[name] + it
        elif isinstance(held.get(name), dict) and isinstance(it, dict):
            _join(held[name], it)
        elif it is not None or name not in held:
            held[name] = it
