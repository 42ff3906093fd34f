"""How a client's request is answered: whole or streamed, framed, and no faster than it reads."""

import asyncio
from typing import Protocol

from tidegate.core import clock
from tidegate.gateway.http.reader import Incoming


class Source(Protocol):
    """What feeds a streamed answer and can be told to wait."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Dated(Protocol):
    """Keeps the Date header of now."""

    date: bytes


class Answering(asyncio.Protocol):
    """The sending half of a client's connection; the receiving half is built on it.

    `in_work` is the request that is being answered. `state`: `open`; `refused` (told no, reading
    on for a moment so that it sees our answer); `closing` (last bytes are on the way).
    """

    __slots__ = (
        "_owner",
        "close_after",
        "framed",
        "idle_s",
        "in_work",
        "lost",
        "paused_s",
        "source",
        "state",
        "state_s",
        "transport",
    )

    def __init__(self, owner: Dated) -> None:
        self._owner = owner
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.lost = False
        self.state = "open"
        self.state_s = self.idle_s = clock.monotonic_s()
        self.in_work: Incoming | None = None
        self.close_after = False
        self.framed = True
        self.source: Source | None = None
        self.paused_s: float | None = None

    # asyncio calls these

    def pause_writing(self) -> None:
        self.paused_s = clock.monotonic_s()
        if self.source is not None:
            self.source.pause()

    def resume_writing(self) -> None:
        self.paused_s = None
        if self.source is not None:
            self.source.resume()

    # whoever answers calls these

    def send(self, head: bytes, body: bytes) -> None:
        """A whole answer. `head` is the status line and headers without framing and blank line."""
        if not self.lost:
            size = len(body)
            if self.in_work is not None and self.in_work.head.method == b"HEAD":
                body = b""
            self.transport.write(
                b"%b%bcontent-length: %d\r\n%b\r\n%b"
                % (head, self._owner.date, size, self._persistence(), body)
            )
        self._answered()

    def start(self, head: bytes, first: bytes) -> None:
        """Begins a streamed answer with its first bytes."""
        if self.in_work is not None and self.in_work.head.http_minor == 0:
            self.close_after = True  # before chunks, the end of the connection ended a body
            self.framed = False
        else:
            self.framed = True
            head += b"transfer-encoding: chunked\r\n"
        if not self.lost:
            body = self._frame(first) if first else b""  # an empty chunk would be the end
            self.transport.write(
                b"%b%b%b\r\n%b" % (head, self._owner.date, self._persistence(), body)
            )

    def write(self, data: bytes) -> None:
        """Goes on with a streamed answer. `data` must not be empty."""
        if not self.lost:
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self.framed else data)

    def write_chunk(self, chunk: bytes, data: bytes) -> None:
        """The same as `write(data)`, for data that is in chunked framing already."""
        if not self.lost:
            self.transport.write(chunk if self.framed else data)

    def finish(self, last: bytes) -> None:
        """Ends a streamed answer, with its last bytes in the same write."""
        if not self.lost:
            end = self._frame(last) if last else b""
            self.transport.write(end + b"0\r\n\r\n" if self.framed else end)
        self._answered()

    def cut(self, last: bytes) -> None:
        """Ends a streamed answer that failed: last bytes, then a close without a proper end."""
        self.close_after = True
        if not self.lost:
            if last:
                self.transport.write(self._frame(last))
            self._close()
        self._answered()

    def write_raw(self, data: bytes) -> None:
        """Bytes as they are, past all framing: for a rig that plays a broken server."""
        if not self.lost:
            self.transport.write(data)

    def abort(self) -> None:
        """Drops the connection at once."""
        self.transport.abort()

    def _frame(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.framed else data

    def _persistence(self) -> bytes:
        if self.close_after:
            return b"connection: close\r\n"
        if self.in_work is not None and self.in_work.head.http_minor == 0:
            return b"connection: keep-alive\r\n"
        return b""

    def _answered(self) -> None:
        """The request in work has been answered: the next one may be taken."""
        raise NotImplementedError

    def _enter(self, state: str) -> None:
        self.state = state
        self.state_s = clock.monotonic_s()

    def _close(self) -> None:
        self._enter("closing")
        self.transport.close()
