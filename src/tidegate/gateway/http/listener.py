"""All client connections of one gateway process: counted, bounded, swept, drained."""

import asyncio
import resource
import socket
import ssl
from collections import Counter

from tidegate.core import clock
from tidegate.core.plan import HttpBounds
from tidegate.gateway.http import answers
from tidegate.gateway.http.server import Answer, Connection
from tidegate.gateway.http.spools import Spools

SWEEP_S = 0.25
# Descriptors kept back for the journal, the store, the feed and logs.
RESERVED_DESCRIPTORS = 64


class Listener:
    """Accepts connections and hands each request to `answer`. Bodies that `spools` takes wait on
    disk."""

    def __init__(self, answer: Answer, bounds: HttpBounds) -> None:
        self.bounds = bounds
        self.draining = False
        self.spools: Spools | None = None
        self.date = answers.date_header(clock.wall_s())
        self.connections: set[Connection] = set()
        self.refusals: Counter[str] = Counter()
        self._answer = answer
        self._per_peer: Counter[str] = Counter()
        self._servers: list[asyncio.Server] = []
        # Every streamed request may need a second descriptor for its provider's connection.
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._descriptor_cap = max(8, (limit - RESERVED_DESCRIPTORS) // 2)

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext | None) -> tuple[str, int]:
        """Starts accepting on `sock`, which is bound and may be shared; its address."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(self, self._answer), sock=sock, ssl=tls, backlog=4096
        )
        self._servers.append(server)
        host, port = sock.getsockname()[:2]
        return str(host), int(port)

    def obey(self, bounds: HttpBounds) -> None:
        """New bounds hold from now on, on connections that are open too."""
        self.bounds = bounds
        if self.spools is not None:
            self.spools.max_file_bytes = bounds.max_file_bytes
        for connection in self.connections:
            connection.bound_bodies(bounds.max_body_bytes)

    def opened(self, connection: Connection) -> bool:
        bounds = self.bounds
        peer = connection.peer
        if len(self.connections) >= min(bounds.max_connections, self._descriptor_cap) or (
            bounds.max_connections_per_ip and self._per_peer[peer] >= bounds.max_connections_per_ip
        ):
            self.refusals["overloaded"] += 1
            return False
        self.connections.add(connection)
        self._per_peer[peer] += 1
        return True

    def closed(self, connection: Connection) -> None:
        self.connections.discard(connection)
        peer = connection.peer
        self._per_peer[peer] -= 1
        if self._per_peer[peer] <= 0:
            del self._per_peer[peer]

    def refused(self, code: str) -> None:
        self.refusals[code] += 1

    def in_work(self) -> int:
        """Requests that have not got their last byte."""
        return sum(1 for c in self.connections if c.in_work is not None)

    def quiet(self) -> bool:
        """Whether nobody is served, asks, or has come too lately to be sent away."""
        return not any(c.busy or c.state == "open" for c in self.connections)

    def sweep(self, now_s: float) -> None:
        """Called every SWEEP_S: deadlines of all connections, and the Date header."""
        self.date = answers.date_header(clock.wall_s())
        for connection in list(self.connections):
            connection.sweep(now_s)

    def stop_accepting(self) -> None:
        """Leaves the socket to whoever shares it and closes connections that are idle."""
        self.draining = True
        for server in self._servers:
            server.close()
        self.sweep(clock.monotonic_s())

    def abort_all(self) -> None:
        for connection in list(self.connections):
            connection.abort()
