"""One gateway's end of the feed: how far it has been told, and what it says that it obeys."""

import asyncio
import logging

import msgspec
from msgspec import Struct

from tidegate.core import clock, feed
from tidegate.core.feed import Ack, Entry, FromGateway, Heartbeat, Hello, ToGateway

# The largest plan and a page of key changes; a gateway this far behind is cut and asks again.
_MAX_UNSENT_BYTES = 2 * feed.MAX_MESSAGE_BYTES

_log = logging.getLogger(__name__)


class GatewayState(Struct):
    """What control knows of one connected gateway process. Times are wall-clock seconds."""

    gateway: str
    pid: int
    connected_at_s: float
    seq: int = 0
    plan_version: int | None = None
    error: str | None = None
    status_at_s: float | None = None
    gauges: dict[str, float] = {}

    def obeys(self, ack: Ack) -> None:
        # Not the highest: numbers begin again where the store is an older copy.
        self.seq = ack.seq
        self.plan_version = ack.plan_version
        self.error = ack.error

    def reports(self, status: feed.Status) -> None:
        self.status_at_s = clock.wall_s()
        self.gauges = status.gauges


class Connection:
    """Sends never wait: a gateway that does not read is cut."""

    def __init__(self, hello: Hello, writer: asyncio.StreamWriter) -> None:
        self.state = GatewayState(hello.gateway, hello.pid, clock.wall_s(), seq=hello.last_seq)
        if hello.last_seq and hello.plan_version:  # it is up to date, and nothing may come to it
            self.state.plan_version = hello.plan_version
        self.told_seq = hello.last_seq
        self._writer = writer

    def tell(self, entry: Entry) -> None:
        self.send(entry)
        self.told_seq = entry.seq

    def beat(self) -> None:
        self.send(Heartbeat(self.told_seq))

    def send(self, message: ToGateway) -> None:
        transport = self._writer.transport
        if transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            _log.warning("gateway %s does not read its feed; cut", self.state.gateway)
            transport.abort()
            return
        self._writer.write(feed.encode_message(message))


async def read_message(reader: asyncio.StreamReader) -> FromGateway:
    """The next message. EOFError at the end, msgspec.DecodeError when it is none."""
    (length,) = feed.LENGTH.unpack(await reader.readexactly(feed.LENGTH.size))
    if length > feed.MAX_MESSAGE_BYTES:
        raise msgspec.DecodeError(f"a message of {length} bytes")
    message: FromGateway = feed.decode_from_gateway(await reader.readexactly(length))
    return message
