"""The way of an answer onto the wire, undisturbed or as a fault wants it.

`Outlet` writes all events of an engine step in one write and waits when the client does not read.
`FaultyOutlet` goes event by event. `k` in a fault counts events that carry tokens.
"""

import asyncio
import socket
import struct
import zlib
from collections.abc import Sequence

from tidegate.core import clock
from tidegate.gateway.http import answers
from tidegate.gateway.http.server import Connection
from tidegate.sim import faults
from tidegate.sim.record import Entry
from tidegate.sim.script import Cue

_DONE = b"[DONE]"
_PART_BYTES = 64 * 1024


class Cut(Exception):
    """The fault has ended the answer; nothing more is to be sent."""


def reset(transport: asyncio.Transport) -> None:
    """Ends a connection with RST: whatever the peer has not read is lost to it."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Outlet:
    """One answer's way out. Also the `source` that its connection tells to wait."""

    def __init__(self, connection: Connection, entry: Entry) -> None:
        self._connection = connection
        self._entry = entry
        self._flowing = asyncio.Event()
        self._flowing.set()

    def pause(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    async def before(self) -> None:
        """What happens before the first byte."""

    async def whole(self, status: int, body: bytes) -> None:
        self._sent(status)
        self._connection.send(answers.json_head(status), body)
        self._entry.completed = True

    async def typed(self, kind: bytes, body: bytes) -> None:
        """A whole answer of another type than JSON."""
        if kind == b"application/json":
            await self.whole(200, body)
            return
        self._sent(200)
        self._connection.send(answers.typed_head(kind), body)
        self._entry.completed = True

    async def raw(self, kind: bytes, body: bytes) -> None:
        """Bytes that are no events, as fast as they are read."""
        self._sent(200)
        self._connection.source = self
        self._connection.start(answers.typed_head(kind), b"")
        for at in range(0, len(body), _PART_BYTES):
            self._connection.write(body[at : at + _PART_BYTES])
            self._entry.chunks_sent += 1
            await self._flowing.wait()
        self._connection.finish(b"")
        self._entry.last_byte_s = clock.monotonic_s()
        self._entry.completed = True

    async def start(self, preamble: Sequence[bytes]) -> None:
        """The head of a stream and the events that carry no tokens yet."""
        self._sent(200)
        self._connection.source = self
        self._connection.start(answers.STREAM_HEAD, self._joined(preamble))

    async def events(self, payloads: Sequence[bytes]) -> None:
        """Events that carry tokens."""
        self._entry.chunks_sent += len(payloads)
        self._connection.write(self._joined(payloads))
        self._entry.last_byte_s = clock.monotonic_s()
        if not self._flowing.is_set():
            await self._flowing.wait()

    async def aside(self, payloads: Sequence[bytes]) -> None:
        """Events between the others that carry no tokens: one choice of several has ended."""
        self._connection.write(self._joined(payloads))

    async def end(self, closing: Sequence[bytes]) -> None:
        """The events after the last token, and the end."""
        self._connection.finish(self._joined((*closing, _DONE)))
        self._entry.last_byte_s = clock.monotonic_s()
        self._entry.completed = True

    def _joined(self, payloads: Sequence[bytes]) -> bytes:
        if not payloads:
            return b""
        return b"data: " + b"\n\ndata: ".join(payloads) + b"\n\n"

    def _sent(self, status: int) -> None:
        self._entry.status = status
        self._entry.first_byte_s = self._entry.last_byte_s = clock.monotonic_s()


class FaultyOutlet(Outlet):
    """An answer that suffers `cue`."""

    def __init__(self, connection: Connection, entry: Entry, cue: Cue) -> None:
        super().__init__(connection, entry)
        self._cue = cue
        self._at = 0
        self._previous_s = entry.received_s
        self._gzip = zlib.compressobj(wbits=31) if cue.fault == "gzip" else None

    async def before(self) -> None:
        cue = self._cue
        if cue.fault == "stall" and cue.after is None:
            await asyncio.sleep(cue.seconds)
        elif cue.fault == "drop":
            self._cut()
        elif cue.fault == "status":
            head, body = faults.status_answer(cue)
            self._sent(cue.status)
            self._connection.send(head, body)
            raise Cut
        elif cue.fault == "ok_error":
            await super().whole(200, faults.error_payload(cue))
            raise Cut

    async def whole(self, status: int, body: bytes) -> None:
        cue = self._cue
        await self._slow()
        if cue.fault == "giant":
            await self._giant()
            return
        body = faults.whole_body(cue, body)
        head = answers.json_head(status) + faults.extra_headers(cue)
        self._sent(status)
        if cue.fault in ("length", "cut", "bad_chunk"):
            self._misframed(head, body)
        else:
            self._connection.send(head, body)
            self._entry.completed = True

    async def start(self, preamble: Sequence[bytes]) -> None:
        self._sent(200)
        self._connection.source = self
        head = answers.STREAM_HEAD + faults.extra_headers(self._cue)
        if self._cue.fault == "length":
            size = faults.DEFAULT_SHORTFALL_BYTES if self._cue.size is None else self._cue.size
            self._connection.close_after = True
            self._connection.write_raw(head + b"content-length: %d\r\n\r\n" % max(0, size))
            self._connection.framed = False
        else:
            self._connection.start(head, b"")
        for payload in preamble:
            await self._send(payload)

    async def events(self, payloads: Sequence[bytes]) -> None:
        await self._slow()
        for payload in payloads:
            await self._fault_before_event()
            self._entry.chunks_sent += 1
            await self._send(payload)
            if self._cue.fault == "doubled" and self._cue.doubled == "produced":
                self._entry.chunks_sent += 1
                await self._send(payload)
            self._at += 1
        self._entry.last_byte_s = clock.monotonic_s()
        await self._flowing.wait()

    async def aside(self, payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            await self._send(payload)

    async def end(self, closing: Sequence[bytes]) -> None:
        fault = self._cue.fault
        if self._cue.after is not None and self._at <= self._cue.after:
            self._at = self._cue.after  # a short answer meets its fault at the end
            await self._fault_before_event()
        for payload in closing:
            await self._send(payload)
        if fault != "no_done":
            await self._send(_DONE)
        if fault == "two_done":
            await self._send(_DONE)
        if fault == "after_done":
            await self._send(faults.AFTER_DONE)
        tail = b"" if self._gzip is None else self._gzip.flush()
        self._connection.finish(tail)
        self._entry.last_byte_s = clock.monotonic_s()
        self._entry.completed = True

    async def _fault_before_event(self) -> None:
        cue = self._cue
        if self._at != (cue.after or 0):
            return
        if cue.fault == "stall" and cue.after is not None:
            await asyncio.sleep(cue.seconds)
        elif cue.fault == "cut":
            self._cut()
        elif cue.fault == "malformed":
            await self._send(faults.MALFORMED_EVENT)
        elif cue.fault == "error":
            await self._send(faults.error_payload(cue))
            self._connection.finish(b"")
            raise Cut
        elif cue.fault == "bad_chunk":
            self._connection.write_raw(faults.BAD_CHUNK)
            self._cut()
        elif cue.fault == "giant":
            await self._giant_event()

    async def _send(self, payload: bytes) -> None:
        data = faults.event_bytes(self._cue, payload)
        if self._gzip is not None:
            data = self._gzip.compress(data) + self._gzip.flush(zlib.Z_SYNC_FLUSH)
        if self._cue.fault != "split":
            self._connection.write(data)
            return
        for byte in data:  # one byte a chunk and a turn of the loop, so a character is torn too
            self._connection.write(bytes((byte,)))
            await asyncio.sleep(0)

    async def _slow(self) -> None:
        if self._cue.fault == "slow":
            now_s = clock.monotonic_s()
            await asyncio.sleep((now_s - self._previous_s) * (self._cue.factor - 1.0))
            self._previous_s = clock.monotonic_s()

    def _cut(self) -> None:
        self._entry.closed_by = "server"
        self._entry.closed_s = clock.monotonic_s()
        if self._cue.how == "rst":
            reset(self._connection.transport)
        else:
            self._connection.cut(b"")
        raise Cut

    def _misframed(self, head: bytes, body: bytes) -> None:
        """A whole answer whose framing lies, then the end of the connection."""
        cue = self._cue
        write = self._connection.write_raw
        if cue.fault == "bad_chunk":
            write(head + b"transfer-encoding: chunked\r\n\r\n" + faults.BAD_CHUNK)
        elif cue.fault == "cut":
            write(head + b"content-length: %d\r\n\r\n%b" % (len(body), body[: len(body) // 2]))
        else:
            extra = faults.DEFAULT_SHORTFALL_BYTES if cue.size is None else cue.size
            write(head + b"content-length: %d\r\n\r\n%b" % (max(0, len(body) + extra), body))
        self._cut()

    def _giant_size(self) -> int:
        return faults.DEFAULT_GIANT_BYTES if self._cue.size is None else max(0, self._cue.size)

    async def _giant(self) -> None:
        """A whole answer of `size` bytes of white space, which is JSON so far."""
        self._sent(200)
        self._connection.source = self
        self._connection.start(answers.JSON_HEAD, b"")
        await self._fill(self._giant_size())
        self._connection.finish(b"{}")

    async def _giant_event(self) -> None:
        self._connection.write(b'data: {"choices":[{"index":0,"delta":{"content":"')
        await self._fill(self._giant_size())
        self._connection.write(b'"}}]}\n\n')

    async def _fill(self, size: int) -> None:
        part = b" " * _PART_BYTES
        while size > 0:
            self._connection.write(part[:size])
            size -= _PART_BYTES
            await self._flowing.wait()
