"""One attempt at one replica: which, over which connection, and whether its answer is one."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.rig import HELLO, gateway, run, target, until
from tests.gateway.upstream import Exchange, Upstream, stalling, streaming, whole

from tidegate.core.secret import SecretRef
from tidegate.gateway.in_flight import AT_ONCE_S


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


def test_a_connection_closed_as_it_is_used_is_replaced_by_a_new_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            await asyncio.gather(it.ask(), it.ask())  # two connections idle now
            [pool] = it.preparer.pools.values()
            await until(lambda: pool.in_flight == 0)
            assert up.connected == 2

            async def close(exchange: Exchange) -> None:
                up.script = whole()
                exchange.transport.close()

            up.script = close
            assert (await it.ask()).status == 200
            receipt = await it.receipt(3)
            assert [a.failure for a in receipt.attempts] == ["stale_connection", None]
            assert [a.reused for a in receipt.attempts] == [True, False]

    run(main())


def test_work_that_was_begun_is_not_sent_a_second_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask()
            [pool] = it.preparer.pools.values()
            await until(lambda: pool.in_flight == 0)

            async def work_and_close(exchange: Exchange) -> None:
                await asyncio.sleep(2 * AT_ONCE_S)
                exchange.transport.close()

            up.script = work_and_close
            reply = await it.ask()
            assert (reply.status, reply.code) == (502, "upstream_interrupted")
            assert len(up.exchanges) == 2
            receipt = await it.receipt(2)
            assert receipt.input_tokens is not None
            assert receipt.cost_nanousd != 0

    run(main())


@pytest.mark.parametrize(
    "told",
    [
        b'{"error": {"message": "no %b", "param": "%b"}}',
        b'{"error": "no %b, no %b"}',
        b'{"detail": [{"no": "%b"}, "%b"]}',
    ],
)
def test_a_credential_thrown_back_in_escapes_reaches_nobody(tmp_path: Path, told: bytes) -> None:
    credential = "canary/Q7mZp2Lx9/Vt4R"
    spelled = b"\\u0063\\u0061nary\\/Q7mZp2Lx9\\u002fVt4R"

    async def main() -> None:
        async with Upstream(whole(told % (spelled, spelled), 422)) as up:
            small = target(up.port, credential=SecretRef(env="KEY"))
            async with gateway(tmp_path, small, environ={"KEY": credential}) as it:
                reply = await it.ask()
                assert reply.status == 422
                assert "[redacted]" in reply.json["error"]["message"]
                assert credential not in str(reply.json)
                assert credential not in str(await it.receipt())

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_sent_once_the_caller_waits_no_longer(tmp_path: Path, stream: bool) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            headers = {"authorization": f"Bearer {it.key}", "x-tidegate-timeout": "0.000001"}
            reply = await it.ask(body={**HELLO, "stream": stream}, headers=headers)
            assert (reply.status, reply.code) == (504, "upstream_timeout")
            receipt = await it.receipt()
            assert (up.exchanges, receipt.attempts, receipt.cost_nanousd) == ([], [], 0)
            assert receipt.cancelled_by == "deadline"

    run(main())
