"""The simulated engine on a socket: OpenAI endpoints, vLLM's metrics, and the fault desk.

It stands on the gateway's own HTTP server, so its framing is as strict and as fast; what a fault
needs beyond that it writes to the transport itself.
"""

import asyncio
import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.capacity.request import NeverFits
from tidegate.core import clock
from tidegate.core.plan import HttpBounds
from tidegate.gateway.http import answers
from tidegate.gateway.http.listener import SWEEP_S, Listener
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.sim import asked as ask
from tidegate.sim import embed, generation
from tidegate.sim.answer import Generation, not_found
from tidegate.sim.asked import Chat, Completion, Embeddings, Problem
from tidegate.sim.batches import Batches
from tidegate.sim.desk import Desk
from tidegate.sim.media_desk import MediaDesk
from tidegate.sim.options import Options
from tidegate.sim.outlet import Cut, FaultyOutlet, Outlet, reset
from tidegate.sim.pump import Pump
from tidegate.sim.record import Entry, Log
from tidegate.sim.script import Cue, Script, ScriptError, parse_line

MAX_DIMENSIONS: Final = 8192
_BOUNDS: Final = HttpBounds(max_connections=100_000, max_connections_per_ip=0)


class Call(Struct):
    """One request on its way through the server."""

    incoming: Incoming
    connection: Connection
    entry: Entry
    cue: Cue | None = None

    def outlet(self) -> Outlet:
        if self.cue is None:
            return Outlet(self.connection, self.entry)
        return FaultyOutlet(self.connection, self.entry, self.cue)


class _Door(Listener):
    """Accepts connections, except those that the script refuses."""

    def __init__(self, sim: "Sim") -> None:
        super().__init__(sim.answer, _BOUNDS)
        self._script = sim.script

    def opened(self, connection: Connection) -> bool:
        if self._script.connection() is not None:
            reset(connection.transport)
            return False
        return super().opened(connection)


class Sim:
    """One simulated engine. Lives in the event loop that it is made in."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.script = Script(options.faults, options.seed)
        self.log = Log()
        self.pump = Pump(options.profile, options.speed)
        self._bounds = generation.Bounds(
            seed=options.seed,
            context_tokens=options.profile.max_model_len,
            block_tokens=options.profile.block_tokens,
            output_tokens=options.output_tokens,
        )
        self._desk = Desk(options, self.pump, self.script, self.log)
        self.batches = Batches(self.answer, options.api_key)
        self._generating: dict[bytes, Callable[[Call], Awaitable[None]]] = {
            b"/v1/chat/completions": self._chat,
            b"/v1/completions": self._completions,
            b"/v1/embeddings": self._embeddings,
            **MediaDesk(self._admit).ways,
        }

    async def answer(self, incoming: Incoming, connection: Connection) -> None:
        """Answers one request; the server calls this."""
        generate = self._generating.get(incoming.head.path)
        try:
            if generate is None and self.batches.takes(incoming.head):
                self._check_key(incoming)
                self.batches.serve(incoming, connection)
                return
            if generate is None:
                if self._desk.answer(incoming, connection):
                    return
                raise Problem(404, "Not Found")
            if incoming.head.method != b"POST":
                raise Problem(405, "Method Not Allowed")
        except (Problem, ScriptError) as problem:
            _refuse(connection, problem)
            return
        entry = self.log.open(incoming.head.path.decode("latin-1"), incoming.received_s)
        named = incoming.head.headers.get(b"x-request-id")
        entry.client_request_id = None if named is None else named.decode("latin-1")
        try:
            await generate(Call(incoming, connection, entry))
        except Cut:
            return
        except (Problem, ScriptError, NeverFits) as problem:
            entry.status = _refuse(connection, problem)
        finally:
            if connection.lost and entry.closed_by is None and not entry.completed:
                entry.closed_by = "client"
                entry.closed_s = clock.monotonic_s()

    # generating

    async def _admit(self, call: Call, model: str | None, stream: bool) -> Outlet:
        """Checks key and model, and lets the request's fault have its say before any work."""
        entry = call.entry
        entry.model, entry.stream = model, stream
        call.cue = self._cue(call.incoming, entry)
        entry.fault = None if call.cue is None else call.cue.fault
        outlet = call.outlet()
        await outlet.before()
        self._check_key(call.incoming)
        if model is not None and model not in self.options.models:
            raise not_found(model)
        return outlet

    def _check_key(self, incoming: Incoming) -> None:
        expected = self.options.api_key
        given = incoming.head.headers.get(b"authorization", b"")
        if expected and not hmac.compare_digest(given, b"Bearer " + expected.encode()):
            raise Problem(401, "Unauthorized")

    def _cue(self, incoming: Incoming, entry: Entry) -> Cue | None:
        if self.options.allow_fault_header:
            line = incoming.head.headers.get(b"x-sim-fault")
            if line:
                cue = parse_line(line.decode("latin-1"))
                self.script.fired[cue.fault] += 1
                return cue
        return self.script.request(entry.path, entry.model, entry.stream)

    async def _chat(self, call: Call) -> None:
        asked: Chat = ask.read(call.incoming.body, Chat)
        outlet = await self._admit(call, asked.model, bool(asked.stream))
        asked.model = asked.model or self.options.models[0]
        job = generation.chat_job(asked, call.entry.id, self._bounds)
        call.entry.prompt_tokens = job.prompt_tokens
        await Generation(asked, job, outlet, call.entry, call.cue).run(self.pump)

    async def _completions(self, call: Call) -> None:
        asked: Completion = ask.read(call.incoming.body, Completion)
        outlet = await self._admit(call, asked.model, bool(asked.stream))
        asked.model = asked.model or self.options.models[0]
        job = generation.completion_job(asked, call.entry.id, self._bounds)
        call.entry.prompt_tokens = job.prompt_tokens
        await Generation(asked, job, outlet, call.entry, call.cue).run(self.pump)

    async def _embeddings(self, call: Call) -> None:
        asked: Embeddings = ask.read(call.incoming.body, Embeddings)
        outlet = await self._admit(call, asked.model, stream=False)
        size = self.options.dimensions if asked.dimensions is None else asked.dimensions
        if not 1 <= size <= MAX_DIMENSIONS:
            raise Problem(400, f"dimensions must be 1 to {MAX_DIMENSIONS}", "dimensions")
        prompts = [ask.ids_of(one) for one in ask.inputs(asked.input, "input")]
        if not all(prompts):
            raise Problem(400, "`input` must not be empty", "input")
        entry = call.entry
        requests = generation.embedding_requests(prompts, entry.id, self._bounds)
        ticket = self.pump.submit(requests)
        try:
            while await ticket.news():
                pass
        finally:
            self.pump.leave(ticket)
        entry.prompt_tokens = sum(len(ids) for ids in prompts)
        vectors = [embed.vector(ids, size, self.options.seed) for ids in prompts]
        encoded = asked.encoding_format == "base64"
        body = {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "index": at,
                    "embedding": embed.as_base64(values) if encoded else values,
                }
                for at, values in enumerate(vectors)
            ],
            "model": asked.model or self.options.models[0],
            "usage": {"prompt_tokens": entry.prompt_tokens, "total_tokens": entry.prompt_tokens},
        }
        await outlet.whole(200, msgspec.json.encode(body))


def _refuse(connection: Connection, problem: Exception) -> int:
    """Says no in vLLM's shape; the status."""
    if not isinstance(problem, Problem):
        problem = Problem(400, str(problem))
    connection.send(answers.json_head(problem.status), problem.body())
    return problem.status


class Running:
    """A simulated engine that accepts connections, until `close`."""

    def __init__(self, sim: Sim, door: Listener, address: tuple[str, int]) -> None:
        self.sim = sim
        self.host, self.port = address
        self._door = door
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/v1"

    async def close(self) -> None:
        """Stops at once; what is in work is cut off."""
        self._sweeper.cancel()
        self._door.stop_accepting()
        self._door.abort_all()
        self.sim.batches.stop()
        await asyncio.sleep(0)  # the aborted connections tell their requests
        self.sim.pump.stop()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._door.sweep(clock.monotonic_s())


async def serve(options: Options) -> Running:
    """Starts a simulated engine in this event loop. OSError when the address is taken."""
    sim = Sim(options)
    door = _Door(sim)
    family = socket.AF_INET
    try:
        if ipaddress.ip_address(options.host).version == 6:
            family = socket.AF_INET6
    except ValueError:
        pass  # a name such as localhost
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((options.host, max(0, options.port)))
        address = await door.listen(sock, None)
    except BaseException:
        sock.close()
        raise
    return Running(sim, door, address)
