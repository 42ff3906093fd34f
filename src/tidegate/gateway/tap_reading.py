"""What a tap reads of a request and of its answer. Nothing here changes a byte, or raises."""

import hashlib
from collections.abc import Mapping
from typing import Final

from tidegate.core import plugs
from tidegate.core.ask import Ask, Usage
from tidegate.core.outcome import Refusal
from tidegate.core.plugs import Passthrough, StreamReader
from tidegate.core.receipt import OPENAI_CHAT, Receipt
from tidegate.gateway.accept import accept
from tidegate.gateway.authenticate import credential
from tidegate.gateway.entry import Entry, dialects, entries
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.strict import Headers

# Whose wire each of callers' dialects is.
_SPOKEN_BY: Final = ("openai", "anthropic")
# What other gateways tell of a call in its answer's head.
_CALL_IDS: Final = (b"x-litellm-call-id", b"x-portkey-trace-id", b"x-request-id")


class TapReading:
    """The wires that a tap can read."""

    def __init__(self) -> None:
        found = entries(dialects())
        self._entries = sorted(found.items(), key=lambda it: -len(it[0]))
        self._wires: dict[str, Passthrough] = {}
        for name in _SPOKEN_BY:
            spoken: Mapping[str, Passthrough] = plugs.load("providers", name).passthrough
            self._wires.update(spoken)

    def ask(self, incoming: Incoming) -> Ask | None:
        """The request, where it is one of inference that can be read. Addresses of providers have
        more before such a path."""
        entry = self._entry(incoming.head.path)
        if entry is None or entry.counted is not None or incoming.head.method != b"POST":
            return None
        try:
            ask = accept(incoming, entry, Receipt("", 0.0, "", entry.endpoint))
        except Exception:  # Refusal, or a fault of ours: neither is to end what passes
            return None
        ask.include_usage = ask.continuous_usage = True  # which is what came, whoever wanted it
        return ask

    def stream(self, ask: Ask) -> StreamReader | None:
        wire = self._wires.get(ask.dialect or OPENAI_CHAT)
        return None if wire is None else wire.reader(ask)

    def whole(self, ask: Ask, body: bytes) -> "Told | None":
        """What a whole answer tells of itself; None where it is none."""
        wire = self._wires.get(ask.dialect or OPENAI_CHAT)
        if wire is None:
            return None
        try:
            answer = wire.read_answer(ask, body)
        except Exception:  # Failure, Refusal, or a fault of ours
            return None
        return Told(answer.provider_request_id, answer.model_served, answer.usage)

    def _entry(self, path: bytes) -> Entry | None:
        return next((entry for end, entry in self._entries if path.endswith(end)), None)


class Told:
    """An answer's own word: its id, who served, and its usage."""

    __slots__ = ("answer_id", "model_served", "usage")

    def __init__(self, answer_id: str | None, model: str | None, usage: Usage | None) -> None:
        self.answer_id = answer_id
        self.model_served = model
        self.usage = None if usage is None or usage.conflict else usage

    def tokens(self) -> dict[str, int | None]:
        """As `Observed` has them: of the prompt all, of the answer all; empty where not told."""
        usage = self.usage
        if usage is None or usage.input_tokens is None:
            return {}
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        answered = usage.output_tokens
        return {
            "input_tokens": usage.input_tokens + (read or 0) + (written or 0),
            "cache_read_tokens": read,
            "cache_write_tokens": written,
            "output_tokens": None if answered is None else answered + (usage.reasoning_tokens or 0),
        }


def key_digest(headers: Headers) -> str | None:
    """SHA-256 of the key that came, in hexadecimal, as LiteLLM stores its own."""
    try:
        return hashlib.sha256(credential(headers)).hexdigest()
    except Refusal:
        return None


def call_id(headers: Headers) -> str | None:
    """What the gateway calls it, if it says so fitly."""
    for name in _CALL_IDS:
        value = headers.get(name)
        if value is not None and value.isascii() and len(value) <= 256:
            return value.decode()
    return None
