"""OpenAI's chat where content comes in parts: texts, and what was thought (Mistral, Databricks).

What has no part in a conversation (references, citations) is left out.
"""

import re
from typing import Any, Final

import msgspec

from tidegate.core.ask import Ask
from tidegate.core.spoken import Event, Spoken
from tidegate.providers._failures import malformed
from tidegate.providers._openai_spoken import OpenAISpokenReader
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers.openai_compatible import OpenAICompatible
from tidegate.text.sse import SseSplitter, data_of
from tidegate.text.strict_json import UNREADABLE

_IN_PARTS: Final = re.compile(rb'"content"\s*:\s*\[')
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def joined(payload: bytes) -> bytes:
    """A chunk or a whole answer with its parts as OpenAI's own members; itself where it has none,
    or where it cannot be read."""
    if _IN_PARTS.search(payload) is None:
        return payload
    try:
        whole = _decode(payload)
        choices = whole.get("choices") if isinstance(whole, dict) else None
        for choice in choices if isinstance(choices, list) else ():
            for name in ("delta", "message"):
                message = choice.get(name) if isinstance(choice, dict) else None
                if isinstance(message, dict) and isinstance(message.get("content"), list):
                    _join(message)
        return _encode(whole)
    except (*UNREADABLE, UnicodeEncodeError):
        return payload


def _join(message: dict[str, Any]) -> None:
    texts: list[str] = []
    thoughts: list[str] = []
    for part in message["content"]:
        if not isinstance(part, dict):
            continue
        if part.get("type") == "text":
            texts += _texts(part.get("text"))
        elif part.get("type") in ("thinking", "reasoning"):
            thoughts += _texts(part.get("thinking", part.get("summary")))
    message["content"] = "".join(texts) or None
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)


def _texts(told: Any) -> list[str]:
    """A text, or those of a list of parts."""
    if isinstance(told, list):
        return [text for one in told if isinstance(one, dict) for text in _texts(one.get("text"))]
    return [told] if isinstance(told, str) else []


class PartsReader(OpenAISpokenReader):
    """core.plugs.SpokenReader."""

    __slots__ = ("_whole",)

    def __init__(self, inner: OpenAIStreamReader) -> None:
        super().__init__(inner)
        self._whole = SseSplitter()

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        for event in self._whole.feed(data):
            events += super().feed(_event(event))
        if self._whole.problem is not None and not self.finished:
            self.failure = self.failure or malformed(self._whole.problem)
        return events

    def end(self) -> list[Event]:
        events = super().feed(_event(self._whole.flush()))
        return events + super().end()


def _event(event: bytes) -> bytes:
    payload = data_of(event)
    if payload is None:
        return event
    told = joined(payload)
    return event if told is payload else b"data: %b\n\n" % told


class InParts(OpenAICompatible):
    """A provider whose answers no caller of OpenAI's chat could read as they come: all are
    translated."""

    def __init__(self) -> None:
        self.passthrough = {}

    def spoken_reader(self, ask: Ask) -> PartsReader:
        whole = msgspec.structs.replace(ask, include_usage=True, continuous_usage=True)
        return PartsReader(self.chunks(whole))

    def read_spoken(self, ask: Ask, body: bytes) -> Spoken:
        return super().read_spoken(ask, joined(body))
