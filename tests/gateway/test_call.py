"""One attempt at one replica: which, over which connection, and whether its answer is one."""

import asyncio
from pathlib import Path

from msgspec.structs import replace
from tests.gateway.rig import HELLO, gateway, run, target, until
from tests.gateway.upstream import Upstream, stalling, streaming, whole


def test_the_replica_with_the_least_work_is_called(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(None)) as busy, Upstream() as idle:
            one, two = target(busy.port), target(idle.port)
            both = replace(one, replicas=one.replicas + two.replicas)
            async with gateway(tmp_path, both) as it:
                waiting = asyncio.ensure_future(it.ask())
                await busy.arrived()
                for _ in range(3):
                    assert (await it.ask()).status == 200
                assert (len(busy.exchanges), len(idle.exchanges)) == (1, 3)
                assert (await it.receipt()).replica == f"127.0.0.1:{idle.port}"
                waiting.cancel()

    run(main())


def test_a_connection_is_used_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            [pool] = it.preparer.pools.values()
            for number in range(1, 4):
                await it.ask()
                await until(lambda: pool.in_flight == 0)
                attempt = (await it.receipt(number)).attempts[0]
                assert attempt.reused == (number > 1)
            assert up.connected == 1

    run(main())


def test_streaming_and_not_streaming_are_not_mixed_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(body={**HELLO, "stream": True})
            assert (reply.status, reply.code) == (502, "upstream_malformed")
            up.script = streaming()
            reply = await it.ask()
            assert (reply.status, reply.code) == (502, "upstream_malformed")
            [pool] = it.preparer.pools.values()
            await until(lambda: pool.in_flight == 0)

    run(main())
