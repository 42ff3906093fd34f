"""Server-sent events out of any slicing of their bytes.

The usual read holds whole events in the usual form (`data: ...` and a line feed or two, or as
many CRLF); it is split by one C call. Everything else the format allows (CR, mixed line ends,
comments, several data lines, a leading byte order mark) takes the careful way and gives the same
events.
"""

import re

MAX_EVENT_BYTES = 4 * 1024 * 1024
# One that holds a whole image.
MAX_IMAGE_EVENT_BYTES = 32 * 1024 * 1024

_END_OF_EVENT = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_END_OF_LINE = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class SseSplitter:
    """Cuts a stream of bytes into events. The concatenation of all raw events is the stream.

    `rest` is what is held of an unfinished event. `problem` is None while all is well: an event
    that is too long ends the reading, and nothing after it is read.
    """

    __slots__ = ("_scanned", "problem", "rest")

    def __init__(self) -> None:
        self.rest = bytearray()
        self._scanned = 0
        self.problem: str | None = None

    @property
    def most_bytes(self) -> int:
        """As long as an event may be."""
        return MAX_EVENT_BYTES

    def feed(self, data: bytes) -> list[bytes]:
        """The raw events completed by `data`, each with its blank line, up to one too long."""
        if self.rest or self.problem is not None or len(data) > MAX_EVENT_BYTES:
            return self._feed_carefully(data)
        # `find`, because `in` first takes bytes for a number: that fails, and costs more.
        if data.find(b"\r") < 0 and data.endswith(b"\n\n"):
            events = data.split(b"\n\n")
            if not events.pop():  # otherwise a line feed too many stands at the end
                return [event + b"\n\n" for event in events]
        elif data.endswith(b"\r\n\r\n") and _has_crlf_only(data):
            events = data.split(b"\r\n\r\n")
            if not events.pop():
                return [event + b"\r\n\r\n" for event in events]
        return self._feed_carefully(data)

    def _feed_carefully(self, data: bytes) -> list[bytes]:
        """Reads each byte once, however small the reads."""
        if self.problem is not None:
            return []
        held = self.rest
        held += data
        # A line's end may lie across the cut: look again at the last three bytes.
        events, start = self._cut(held, max(0, self._scanned - 3))
        if start:
            del held[:start]
        self._scanned = len(held)
        if self._scanned > self.most_bytes:
            self.problem = f"an event exceeds {self.most_bytes} bytes"
        if self.problem is not None:
            held.clear()
        return events

    def _cut(self, held: bytearray, at: int) -> tuple[list[bytes], int]:
        """(the whole events, where the next begins); an end may begin at `at` or later."""
        events: list[bytes] = []
        start = 0
        for match in _END_OF_EVENT.finditer(held, at):
            end = match.end()
            if end == len(held) and held.endswith(b"\r"):
                break  # its line feed may still come
            if end - start > self.most_bytes:
                self.problem = f"an event exceeds {self.most_bytes} bytes"
                break
            events.append(bytes(held[start:end]))
            start = end
        return events, start

    def flush(self) -> bytes:
        """What is left at the end of the stream: at most one unfinished event."""
        rest, self.rest, self._scanned = bytes(self.rest), bytearray(), 0
        return rest


class LargeSplitter(SseSplitter):
    """Of streams whose events hold images."""

    __slots__ = ()

    @property
    def most_bytes(self) -> int:
        return MAX_IMAGE_EVENT_BYTES


def _has_crlf_only(data: bytes) -> bool:
    return data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r")


def data_of(event: bytes) -> bytes | None:
    """The payload of a raw event's data lines, or None when it has none (a comment)."""
    if (
        event.startswith(b"data: ")
        and event.find(b"\n") == len(event) - 2
        and event.find(b"\r") < 0
    ):
        return event[6:-2]
    if event.startswith(b"data: ") and event.find(b"\r\n\r\n") == len(event) - 4:
        payload = event[6:-4]
        if b"\n" not in payload and b"\r" not in payload:
            return payload
    lines: list[bytes] = []
    for line in _END_OF_LINE.split(event.removeprefix(_BOM)):
        if line.startswith(b"data:"):
            value = line[5:]
            lines.append(value[1:] if value.startswith(b" ") else value)
        elif line == b"data":
            lines.append(b"")
    return b"\n".join(lines) if lines else None
