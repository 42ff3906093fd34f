"""What bounds a second request after an answer that broke its contract: money, retries, time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.attempted import in_turn
from tests.gateway.contracted import AGAIN, BAD, BOTH, GOOD, answering
from tests.gateway.rig import HELLO, gateway, run
from tests.gateway.routed import SOON, at, routed
from tests.gateway.upstream import Exchange, Upstream

from tidegate.core.plan import Limit
from tidegate.gateway.admit import Admission
from tidegate.gateway.holding import moment


@BOTH
def test_without_money_for_two_there_is_one(tmp_path: Path, body: Any) -> None:
    month = Limit("month", "spend", 0, ("team",), unit="month")
    asked = {**body, "max_tokens": 20}

    async def main() -> None:
        for amount, sent in ((400_000, 1), (3_000_000, 2)):
            async with Upstream(in_turn(BAD, GOOD)) as up:
                routes = routed(at(up, "a"), contract=AGAIN)
                limits = (replace(month, amount=amount),)
                folder = tmp_path / str(amount)
                async with gateway(folder, at(up, "a"), routes=routes, limits=limits) as it:
                    reply = await it.ask(body=asked)
                    assert len(up.exchanges) == sent
                    receipt = await it.receipt()
                    [hold] = receipt.holds
                    assert hold.used == receipt.cost_nanousd
                    if sent == 1:
                        assert (reply.status, reply.code) == (502, "upstream_invalid_answer")
                        assert receipt.validity == "malformed", "the only answer is told of"
                        assert receipt.output_tokens is not None
                    else:
                        assert reply.status == 200

    run(main())


def test_what_is_held_for_a_second_is_given_back_when_the_client_leaves_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = Limit("month", "spend", 10**9, ("team",), unit="month")
    held = asyncio.Event()
    hold_more = Admission.hold_more

    async def slow(admitted: Admission, nanousd: int) -> bool:
        assert await hold_more(admitted, nanousd)
        held.set()
        await asyncio.sleep(60)  # as it may in a store that gateways share
        return True

    monkeypatch.setattr(Admission, "hold_more", slow)

    async def main() -> None:
        async with Upstream(BAD) as up:
            routes = routed(at(up, "a"), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes, limits=(month,)) as it:
                _, writer = await it.connect()
                writer.write(it.request(body={**HELLO, "max_tokens": 20}))
                await held.wait()
                writer.transport.abort()
                receipt = await it.receipt()
                assert receipt.error_code == "client_closed"
                assert it.world.plan is not None
                [limit] = it.world.plan.limits.every()
                assert limit.counters is not None
                assert limit.counters.read("team-a", 0, moment()).used == receipt.cost_nanousd

    run(main())


def test_the_longer_request_is_held_for(tmp_path: Path) -> None:
    """The answer that is shown is paid for once more, as input."""
    said = "x" * 5_000
    month = Limit("month", "spend", 0, ("team",), unit="month")

    async def main() -> None:
        for amount, sent in ((4_500_000, 1), (9_000_000, 2)):
            async with Upstream(in_turn(answering(said), GOOD)) as up:
                routes = routed(at(up, "a"), contract=AGAIN)
                limits = (replace(month, amount=amount),)
                folder = tmp_path / str(amount)
                async with gateway(folder, at(up, "a"), routes=routes, limits=limits) as it:
                    await it.ask(body={**HELLO, "max_tokens": 20})
                    assert len(up.exchanges) == sent

    run(main())


def test_the_budget_of_retries_and_the_caller_s_deadline_bound_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(BAD) as up:
            none = replace(SOON, budget_percent=0, budget_least=0)
            routes = routed(at(up, "a"), contract=AGAIN, retry=none)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                assert (await it.ask()).code == "upstream_invalid_answer"
                assert len(up.exchanges) == 1

            async def late(exchange: Exchange) -> None:
                await asyncio.sleep(0.1)
                await BAD(exchange)

            up.script = late
            routes = routed(at(up, "a"), contract=AGAIN)
            async with gateway(tmp_path / "2", at(up, "a"), routes=routes) as it:
                headers = {"authorization": f"Bearer {it.key}", "x-tidegate-timeout": "0.05"}
                assert (await it.ask(headers=headers)).code == "upstream_invalid_answer"
                assert len(up.exchanges) == 2

    run(main())
