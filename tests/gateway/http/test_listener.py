"""Connections are counted and bounded; a flood is shed and passes."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack

from tests.gateway.http.rig import GET, House, calling, later, quiet, until

from tidegate.core.plan import HttpBounds
from tidegate.gateway.http import server

_FLOOD = """
import asyncio, resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from tests.gateway.http.rig import GET, House, calling, until

async def main():
    flood = []
    async with House() as house:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        try:
            while len(flood) < 2000:
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(house.address)
                flood.append(sock)
        except OSError:
            pass  # no descriptor is left: the listener cannot accept either
        for _ in range(50):
            await asyncio.sleep(0)
        for sock in flood:
            sock.close()
        await until(lambda: not house.listener.connections)
        await asyncio.sleep(1.1)  # asyncio rests a second after EMFILE
        await until(lambda: not house.listener.connections)  # those that waited to be accepted
        async with calling(house.address) as caller:
            await caller.send(GET)
            print((await caller.answer())[0], len(flood))

asyncio.run(main())
"""


def full(bounds: HttpBounds, message: bytes) -> None:
    """Two connections are served, the third is told no; when one leaves there is room again."""

    async def main() -> None:
        async with House(bounds=bounds) as house:
            async with AsyncExitStack() as held:
                for _ in range(2):
                    await held.enter_async_context(calling(house.address))
                await until(lambda: len(house.listener.connections) == 2)
                async with calling(house.address) as third:
                    status, headers, body = await third.answer()
                    assert (status, headers[b"retry-after"]) == (503, b"1")
                    assert message in body
                    assert await third.rest() == b""
                assert house.listener.refusals == {"overloaded": 1}
            await until(lambda: not house.listener.connections)
            async with calling(house.address) as caller:
                await caller.send(GET)
                assert (await caller.answer())[0] == 200
        await quiet()

    asyncio.run(main())


def test_connections_are_bounded_in_all() -> None:
    full(HttpBounds(max_connections=2), b"too many connections")


def test_connections_are_bounded_by_peer() -> None:
    full(HttpBounds(max_connections_per_ip=2), b"too many connections")


def test_a_flood_that_takes_all_descriptors_is_survived() -> None:
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FLOOD],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.stdout.startswith("200 "), told.stderr
    assert int(told.stdout.split()[1]) < 256


def test_draining_closes_what_idles_and_refuses_what_is_new() -> None:
    async def main() -> None:
        async with House() as house, calling(house.address) as caller:
            await caller.send(GET)
            await caller.answer()
            house.listener.stop_accepting()
            house.listener.sweep(later(server.DRAIN_LINGER_S + 1))
            assert await caller.rest() == b""
            await until(lambda: not house.listener.connections)
            assert house.listener.in_work() == 0

    asyncio.run(main())
