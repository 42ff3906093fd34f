"""An address is asked within its deadline, over connections that are kept, and told who asks."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.contracted import answering
from tests.gateway.guarded import address, asking, guarded, judging
from tests.gateway.rig import run
from tests.gateway.upstream import Exchange, Upstream

from tidegate.core.secret import SecretRef


async def silent(exchange: Exchange) -> None:
    del exchange
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("script", "fields", "told"),
    [
        (silent, {"deadline_s": 0.05}, "timeout"),
        (judging(b"{}", 500), {}, "malformed"),
        (judging({"action": "allow"}), {"credential": SecretRef(env="NO")}, "credential_missing"),
    ],
    ids=["silent", "status", "credential"],
)
def test_whoever_says_nothing_is_told_by_a_word(
    tmp_path: Path, script: Any, fields: dict[str, Any], told: str
) -> None:
    async def main() -> None:
        async with Upstream(script) as judge:
            outside = address(judge, **fields)
            async with guarded(tmp_path, answering("x"), [outside]) as (it, up):
                assert (await it.ask(body=asking("hi"))).code == "guardrail_unavailable"
                assert [hit.type for hit in (await it.receipt()).guardrails] == [told]
                assert not up.exchanges

    run(main())


def test_an_address_that_is_gone_is_unreachable(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(judging({"action": "allow"})) as judge:
            outside = address(judge)
        async with guarded(tmp_path, answering("x"), [outside]) as (it, _):
            assert (await it.ask(body=asking("hi"))).status == 503
            assert [hit.type for hit in (await it.receipt()).guardrails] == ["unreachable"]

    run(main())


def test_connections_are_kept_and_one_that_was_closed_is_replaced(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(judging({"action": "mark"})) as judge:
            outside = address(judge)
            async with guarded(tmp_path, answering("x"), [outside]) as (it, _):
                for _ in range(3):
                    assert (await it.ask(body=asking("hi"))).status == 200
                assert judge.connected == 1
                assert judge.exchanges[0].path == b"/check"
                assert [hit.action for hit in (await it.receipt(3)).guardrails] == ["mark"]

    run(main())


@pytest.mark.parametrize("side", ["input", "output"])
def test_the_callers_own_time_counts_too(tmp_path: Path, side: str) -> None:
    async def main() -> None:
        async with Upstream(silent) as judge:
            outside = address(judge, deadline_s=30.0, on_error="open")
            into, out = ((outside,), ()) if side == "input" else ((), (outside,))
            async with guarded(tmp_path, answering("x"), into, out) as (it, up):
                head = {"authorization": f"Bearer {it.key}", "x-tidegate-timeout": "0.2"}
                reply = await it.ask(body=asking("hi"), headers=head)
                assert (reply.status, reply.code) == (504, "upstream_timeout")
                receipt = await it.receipt()
                assert receipt.total_s is not None and receipt.total_s < 5
                assert receipt.guardrails == []  # it is not the address that was too slow
                assert len(up.exchanges) == (0 if side == "input" else 1)

    run(main())


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_client_that_leaves_ends_the_question(tmp_path: Path, side: str) -> None:
    async def main() -> None:
        async with Upstream(silent) as judge:
            outside = address(judge, deadline_s=30.0)
            into, out = ((outside,), ()) if side == "input" else ((), (outside,))
            async with guarded(tmp_path, answering("x"), into, out) as (it, _):
                client = asyncio.create_task(it.ask(body=asking("hi")))
                asked = await judge.arrived()
                client.cancel()
                await asyncio.gather(client, return_exceptions=True)
                await asyncio.wait_for(asked.closed.wait(), 5)
                assert (await it.receipt()).error_code == "client_closed"

    run(main())
