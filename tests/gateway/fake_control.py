"""Control's end of the feed, in this process, for gateways of the rig."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from msgspec import Raw
from tests.gateway.rig import Gateway, until

from tidegate.core import feed
from tidegate.core.plan import Plan


class Control:
    """Listens at `path`, keeps what it is told, and tells what a test says."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writers: list[asyncio.StreamWriter] = []
        self.told: list[feed.FromGateway] = []
        self.seq = 0

    async def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = feed.LENGTH.unpack(await reader.readexactly(4))
                self.told.append(feed.decode_from_gateway(await reader.readexactly(length)))

    def send(self, message: feed.ToGateway) -> None:
        for writer in self._writers:
            writer.write(feed.encode_message(message))

    def tell(
        self, body: feed.PlanPublished | feed.KeyChanged | feed.Forget | feed.ChangesInForce
    ) -> int:
        self.seq += 1
        self.send(feed.Entry(self.seq, body))
        return self.seq

    def publish(self, plan: Plan) -> int:
        return self.tell(feed.PlanPublished(plan.version, Raw(msgspec.msgpack.encode(plan))))

    async def acked(self, seq: int, count: int = 1) -> feed.Ack:
        await until(lambda: len(self.acks(seq)) >= count)
        return self.acks(seq)[-1]

    def acks(self, seq: int) -> list[feed.Ack]:
        return [m for m in self.told if isinstance(m, feed.Ack) and m.seq == seq]

    def hellos(self) -> list[feed.Hello]:
        return [m for m in self.told if isinstance(m, feed.Hello)]

    async def stop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._path.unlink(missing_ok=True)
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def following(path: Path, *gateways: Gateway) -> AsyncIterator[Control]:
    control = Control(path)
    await control.start()
    tasks = [asyncio.ensure_future(it.feed.follow(path)) for it in gateways]
    await until(lambda: len(control.hellos()) == len(gateways))
    try:
        yield control
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await control.stop()
