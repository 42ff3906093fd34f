"""A proxy before PostgreSQL that leaves clients in doubt whether their COMMIT happened.

The connection ends at a COMMIT, as often before the server has seen it as after the server has
done it and before its reply is passed on.
"""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Proxy:
    """While `doubt` is set, that share of COMMITs is lost; `undone` and `done` count them."""

    def __init__(self, server_port: int, seed: int) -> None:
        self.doubt = 0.0
        self.undone = 0
        self.done = 0
        self.port = 0
        self._server_port = server_port
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy")

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0)
        server = self._loop.run_until_complete(listening)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            to_client.transport.abort()
            return
        answering = asyncio.ensure_future(_pass_on(server, to_client))
        try:
            while data := await client.read(1 << 16):
                if data == COMMIT and self._chance.random() < self.doubt:
                    await self._lose(answering, server, to_server)
                    return
                to_server.write(data)
        except OSError:
            pass
        finally:
            answering.cancel()
            to_client.transport.abort()
            to_server.transport.abort()

    async def _lose(
        self,
        answering: "asyncio.Task[None]",
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        if self._chance.random() < 0.5:
            self.undone += 1
            return
        to_server.write(COMMIT)
        if await server.read(1 << 16):
            self.done += 1


async def _pass_on(server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
    try:
        while data := await server.read(1 << 16):
            to_client.write(data)
    except OSError:
        pass
    to_client.transport.abort()


@contextmanager
def doubtful(server_port: int, seed: int) -> Iterator[Proxy]:
    """A proxy that runs until the end of the block."""
    proxy = Proxy(server_port, seed)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
