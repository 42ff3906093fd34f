"""What the rewriters of all wires have in common: events out of bytes, texts by their places."""

from abc import ABC, abstractmethod
from typing import Any, Final

import msgspec

from tidegate.core.rewriting import Channel, TextKind, Texts
from tidegate.text.sse import SseSplitter

decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
encode: Final = msgspec.json.Encoder().encode
# What reads the same in a JSON string as it is: printable, no quote, no backslash.
PLAIN: Final = bytes(byte for byte in range(ord(" "), ord("~") + 1) if byte not in b'"\\')


def quoted(text: str) -> bytes:
    """As it stands within a JSON string, without the quotes."""
    return encode(text)[1:-1]


class WireRewriter(ABC):
    """The part of a core.rewriting.Rewriter that every wire of server-sent events shares. Of an
    event that says nothing else than more of one text, what stands around the text is kept: the
    next one is known by it, and need not be decoded."""

    sequence = 0

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.started = False
        self._splitter = SseSplitter()
        self._open: dict[Any, Channel] = {}
        self._before = self._after = b""
        self._between = slice(0)
        self._channel: Channel | None = None

    @property
    def waiting(self) -> bool:
        return any(channel.waiting for channel in self._open.values())

    def feed(self, data: bytes) -> bytes:
        before = self._before
        if before and data.startswith(before) and data.endswith(self._after):
            text = data[self._between]
            if text and not text.strip(PLAIN) and self._channel is not None:
                shown = self._channel.add(text.decode("ascii"))
                if not shown:
                    return b""
                self.started = True
                if shown.isascii():
                    plain = shown.encode()
                    if not plain.strip(PLAIN):
                        return before + plain + self._after
                return before + quoted(shown) + self._after
        self._before = b""
        return b"".join([self._take(event) for event in self._splitter.feed(data)])

    def _learn(self, event: bytes, text: str, channel: Channel) -> None:
        """Keeps what stands around the only text of an event."""
        plain = text.encode()
        within = b'"%b"' % plain
        if text and not plain.strip(PLAIN) and event.count(within) == 1:
            at = event.find(within) + 1
            self._before, self._after = event[:at], event[at + len(plain) :]
            self._between, self._channel = slice(at, -len(self._after)), channel

    def _text(self, place: Any, kind: TextKind, choice: int) -> Channel:
        found = self._open.get(place)
        if found is None:
            found = self._open[place] = self.texts.channel(kind, choice)
        return found

    @abstractmethod
    def _take(self, event: bytes) -> bytes:
        """One event: what goes out in its place."""
