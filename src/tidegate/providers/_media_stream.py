"""Streams of what is no chat: audio as it is made, and the events of speech, transcripts and
images."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Units, Usage
from tidegate.core.outcome import Failure
from tidegate.core.plugs import Follower
from tidegate.providers._failures import half_way, malformed
from tidegate.providers._media_usage import read_media_usage
from tidegate.providers._openai_error import failure_in_answer
from tidegate.providers._passing_reader import PassingReader
from tidegate.text.sse import LargeSplitter, data_of
from tidegate.text.strict_json import UNREADABLE

# An answer that is longer is none: an hour of samples as they are is a third of it.
MAX_AUDIO_BYTES: Final = 1024 * 1024 * 1024
_DONE: Final = b"[DONE]"
_ENDS: Final = (".done", ".completed")


class AudioReader:
    """core.plugs.StreamReader of bytes that are no events: their end is HTTP's alone."""

    service_tier: str | None = None
    model_fingerprint: str | None = None
    usage: Usage | None = None
    finish_reason: str | None = None
    model_served: str | None = None
    provider_request_id: str | None = None
    called = False
    sequence = 0
    surplus_events = 0
    units = Units()

    __slots__ = ("_bytes", "content_chunks", "failure", "finished", "follower", "started")

    refused = False
    ended_twice = False
    terminal = b""
    text_beyond_bytes = 0

    def __init__(self) -> None:
        self._bytes = 0
        self.content_chunks = 0
        self.started = self.finished = False
        self.failure: Failure | None = None
        self.follower: Follower | None = None

    def feed(self, data: bytes) -> bytes:
        if not data:
            return b""
        self.started = True
        self.content_chunks += 1
        self._bytes += len(data)
        if self._bytes > MAX_AUDIO_BYTES and self.failure is None:
            message = f"the provider's answer exceeds {MAX_AUDIO_BYTES} bytes"
            self.failure = Failure("malformed", "upstream_too_large", message)
            return b""
        return data

    def end(self) -> Failure | None:
        if self.failure is None and not self._bytes:
            return malformed("the provider's answer is empty")
        self.finished = self.failure is None
        return self.failure

    def text(self) -> bytes:
        return b""

    def opening(self, most_bytes: int) -> bytes | None:
        return None

    def text_bytes(self) -> int:
        return self._bytes


class _Told(Struct):
    type: str | None = None
    error: Any = None
    usage: Any = None
    size: Any = None
    quality: Any = None
    model: Any = None
    choices: Raw = Raw()


_decode: Final = msgspec.json.Decoder(_Told).decode


class MediaStreamReader(PassingReader):
    """core.plugs.StreamReader of events that pass as they are. It ends with the event that says so:
    of several images, that of the last; or with the mark that engines write."""

    service_tier: str | None = None
    finish_reason: str | None = None
    provider_request_id: str | None = None
    called = False
    sequence = 0

    __slots__ = (
        *("_ended", "_marked", "_most_ends", "_wants_output", "model_served", "surplus_events"),
        *("units", "usage"),
    )

    def __init__(self, ends: int, *, wants_output: bool) -> None:
        PassingReader.__init__(self)
        self._splitter = LargeSplitter()
        self._most_ends, self._ended = ends, 0
        self._wants_output = wants_output
        self._marked = False
        self.usage: Usage | None = None
        self.units = Units()
        self.model_served: str | None = None
        self.surplus_events = 0

    def end(self) -> Failure | None:
        if self.failure is None and not self.finished:
            self._take_rest()
        return self.failure

    def _take_rest(self) -> None:
        """The last event, of which only a blank line is missing; one that was cut is none."""
        rest = self._splitter.flush()
        if rest.strip():
            self._take(rest if rest.endswith(b"\r\r") else rest + b"\n\n")
        is_cut = self.failure is None or self.failure.kind == "malformed"
        if is_cut and not self.finished:
            self.failure = half_way()

    def _take(self, event: bytes) -> bytes:
        data = data_of(event)
        if self.finished or self.failure is not None:
            return self._pass_over(data)
        if data is None:
            return event
        if data.strip() == _DONE:
            self._marked = True
            return self._finish(event)
        try:
            check_text(data)
            told = _decode(data)
        except UNREADABLE:
            self.failure = malformed("the provider's stream holds what is no event")
            return b""
        if told.error or told.type == "error":
            self.failure = failure_in_answer(told.error or {})
            return b""
        if told.usage is not None:
            self._note(told)
        if isinstance(told.model, str):
            self.model_served = told.model
        if told.type is not None and told.type.endswith(_ENDS):
            self._keep_bytes(len(data))
            self._ended += 1
            self.units = msgspec.structs.replace(
                self.units, image_size=_word(told.size), image_quality=_word(told.quality)
            )
            if self._ended >= self._most_ends:
                return self._finish(event)
            return event
        if told.type is None and told.choices == Raw():
            return event
        self._keep_bytes(len(data))
        return event

    def _pass_over(self, data: bytes | None) -> bytes:
        """Some write the mark behind the event that ends it: that is one end, another is two."""
        if self.finished and data == _DONE:
            self.ended_twice, self._marked = self._marked, True
            self.surplus_events += self.ended_twice
        else:
            self.surplus_events += data is not None
        return b""

    def _finish(self, event: bytes) -> bytes:
        self.finished = True
        self.terminal = event
        self.units = msgspec.structs.replace(self.units, images=self._ended or None)
        return b""

    def _note(self, told: _Told) -> None:
        found = read_media_usage(told.usage, wants_output=self._wants_output)
        if found is None:
            return
        usage, units = found
        if self.usage is None or self._most_ends == 1:
            self.usage, self.units = usage, units
        else:
            self.usage = Usage(conflict=True)  # of several, which of them add up nobody says

    def _keep_bytes(self, size: int) -> None:
        """As long as it is: nothing of it is kept."""
        self.started = True
        self.content_chunks += 1
        self.text_beyond_bytes += size

    def text(self) -> bytes:
        return b""


def check_text(data: bytes) -> None:
    """UnicodeDecodeError where it is none: members that are passed over are not looked at."""
    if not data.isascii():
        data.decode("utf-8")


def _word(told: Any) -> str | None:
    return told if isinstance(told, str) and told.isprintable() and len(told) <= 64 else None
