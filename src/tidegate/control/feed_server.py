"""The feed: tells every gateway of plans and key changes, in order, over a local socket.

Numbers come from the store, so they outlive this process. Each connection keeps its own place;
a gateway that was away asks for what it missed, and one that missed too much is told to forget
its keys and given the plan whole. The store is also polled: an entry that another process wrote
arrives within a heartbeat's time, and `wake` only hastens it. So it is with the loop's beat:
whichever control leads, each tells its own gateways that the loop lives.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from typing import Any

import msgspec

from tidegate.control.feed_connection import Connection, GatewayState, read_message
from tidegate.control.feed_reading import FeedReading, FeedSource
from tidegate.control.living import running
from tidegate.core import feed
from tidegate.core.feed import Ack, Beat, FromGateway, Hello, Recorded
from tidegate.core.layout import Layout
from tidegate.stores.errors import StoreError
from tidegate.stores.fleet import Obeying

_HELLO_TIMEOUT_S = 5.0
_LOOK_ELSEWHERE_S = 0.05
# Stands for the gateways of other machines where nobody can be asked about them.
UNKNOWN = "other machines"

_log = logging.getLogger(__name__)


def _nowhere_else(_seq: int) -> list[str]:
    return []


class FeedServer:
    """Serves `Layout.feed_socket`. One event loop owns it; `wake` may come from any thread.

    `behind_elsewhere` is asked, off the loop, for the gateways of other machines that do not obey
    an entry yet.
    """

    def __init__(
        self,
        layout: Layout,
        source: FeedSource,
        on_status: Callable[[str, feed.Status], None],
        behind_elsewhere: Callable[[int], list[str]] = _nowhere_else,
    ) -> None:
        self._path = layout.feed_socket
        self._journal = layout.journal
        self._reading = FeedReading(source)
        self._on_status = on_status
        self._behind_elsewhere = behind_elsewhere
        self._failing = False
        self._connections: set[Connection] = set()
        self._catching_up: set[Connection] = set()
        self._told_seq = 0
        self._pulse = (0, 0)
        self._woken = asyncio.Event()
        self._acked = asyncio.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.AbstractServer | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._serving: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Bind the socket (mode 0600) and begin to tell. OSError when it cannot be bound."""
        self._loop = asyncio.get_running_loop()
        self._pulse = await self._reading.pulse()
        self._told_seq = await self._reading.newest_seq()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        before = os.umask(0o177)  # the socket must never be open to others, even for a moment
        try:
            self._server = await asyncio.start_unix_server(self._serve, self._path)
        finally:
            os.umask(before)
        self._tasks = [self._loop.create_task(work()) for work in (self._tell_all, self._beat_all)]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        # Cut, not cancelled: each then ends by itself, and nothing of it is left on the loop.
        for writer in list(self._serving.values()):
            writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._reading.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def wake(self) -> None:
        """There is a new entry in the store. Thread-safe."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    def recorded(self, gateway: str, segment: int, offset: int) -> None:
        """Tell a gateway how far its journal is in the ledger. Thread-safe."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._tell_recorded, gateway, Recorded(segment, offset))

    def gateways(self) -> list[GatewayState]:
        """Connected gateways, by name. Thread-safe."""
        states = [connection.state for connection in tuple(self._connections)]
        return sorted(states, key=lambda state: (state.gateway, state.pid))

    async def acknowledged(self, seq: int, timeout_s: float) -> list[str]:
        """Wait until every running gateway obeys `seq`; the names of those that still do not.

        One that runs and is not connected is among them: nobody knows what it serves.
        """

        def waiting() -> list[str]:
            behind = {state.gateway for state in self.gateways() if state.seq < seq}
            connected = {connection.state.gateway for connection in self._connections}
            return sorted(behind | (running(self._journal) - connected))

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                async with self._acked:
                    await self._acked.wait_for(lambda: not waiting())
                while await self._elsewhere(seq):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_ELSEWHERE_S)
        return waiting() + await self._elsewhere(seq)

    async def _elsewhere(self, seq: int) -> list[str]:
        try:
            return await asyncio.to_thread(self._behind_elsewhere, seq)
        except StoreError:  # the change itself is made
            return [UNKNOWN]

    def obeying(self) -> list[Obeying]:
        """This machine's running gateways and what they obey; 0 where nobody knows. Thread-safe."""
        told = {s.gateway: s for s in self.gateways()}
        unknown = running(self._journal) - told.keys()
        known = [Obeying(s.gateway, s.seq, s.plan_version, s.error) for s in told.values()]
        return known + [Obeying(name, 0) for name in sorted(unknown)]

    async def _tell_all(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(feed.HEARTBEAT_S):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._tell_new()
                self._failing = False
            except Exception as error:
                # A store that fails for a while must not end the feed.
                if not self._failing:
                    _log.warning("the feed cannot be read: %s", error)
                self._failing = True

    async def _beat_all(self) -> None:
        # Apart from the telling: a store may keep that waiting longer than a gateway bears silence.
        while True:
            for connection in self._connections | self._catching_up:
                connection.beat()
            await asyncio.sleep(feed.HEARTBEAT_S)

    def _tell_recorded(self, gateway: str, message: Recorded) -> None:
        for connection in self._connections:
            if connection.state.gateway == gateway:
                connection.send(message)

    async def _tell_new(self) -> None:
        # Before the entries: what the beat's own leadership has let go of is told first.
        pulse = await self._reading.pulse()
        news = await self._reading.after(self._told_seq)
        for entry in news.entries:
            self._told_seq = entry.seq
            for connection in self._connections:
                if news.afresh or connection.told_seq < entry.seq:
                    connection.tell(entry)
        before, self._pulse = self._pulse, pulse
        if pulse[1] > before[1]:
            for connection in self._connections:
                connection.send(Beat(pulse[0]))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (this is one)
        self._serving[task] = writer
        connection: Connection | None = None
        try:
            async with asyncio.timeout(_HELLO_TIMEOUT_S):
                hello = await read_message(reader)
            if not isinstance(hello, Hello):
                raise msgspec.ValidationError("the first message is not Hello")
            connection = Connection(hello, writer)
            self._catching_up.add(connection)
            await self._catch_up(connection)
            while True:
                await self._hear(connection, await read_message(reader))
        except (EOFError, OSError, TimeoutError):
            pass
        except msgspec.DecodeError as error:
            _log.warning("a gateway spoke nonsense on the feed: %s", error)
        except Exception as error:
            _log.warning("the feed cannot be read: %s", error)
        finally:
            del self._serving[task]
            if connection is not None:
                self._connections.discard(connection)
                self._catching_up.discard(connection)
            writer.transport.abort()
            async with self._acked:
                self._acked.notify_all()

    async def _catch_up(self, connection: Connection) -> None:
        while True:
            for entry in (await self._reading.after(connection.told_seq)).entries:
                connection.tell(entry)
            # No await between this test and joining: nothing can be told in between and missed.
            if connection.told_seq >= self._told_seq:
                connection.beat()
                self._catching_up.discard(connection)
                self._connections.add(connection)
                return

    async def _hear(self, connection: Connection, message: FromGateway) -> None:
        if isinstance(message, Ack):
            connection.state.obeys(message)
            async with self._acked:
                self._acked.notify_all()
        elif isinstance(message, feed.Status):
            connection.state.reports(message)
            self._on_status(connection.state.gateway, message)
