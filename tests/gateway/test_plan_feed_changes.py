"""Changes over real sockets: each lever is obeyed by the next request, and given back in time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.canaried import canaried
from tests.gateway.fake_control import Control, following
from tests.gateway.rig import HELLO, gateway, plan_of, run, target, until
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Exchange, Upstream, stalling, whole

from tidegate.core import clock
from tidegate.core.feed import Ack, Beat, ChangesInForce, Forget, InForce


def held(lever: str, scope: str, value: float, **fields: Any) -> InForce:
    fields = {"remaining_s": 60.0} | fields
    return InForce(f"{lever}/{scope}/{value}", lever, scope, value, **fields)


async def tell(control: Control, *changes: InForce, epoch: int = 1) -> Ack:
    return await control.acked(control.tell(ChangesInForce(epoch, changes)))


def test_a_route_is_off_for_the_next_request_and_on_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                assert (await it.ask()).status == 200
                ack = await tell(control, held("route_off", "small", 1))
                assert (ack.error, ack.plan_version) == (None, 1)
                reply = await it.ask()
                assert (reply.status, reply.code) == (503, "route_off")
                assert it.vitals.status().gauges["tidegate_changes_in_force"] == 1.0
                await tell(control)
                assert (await it.ask()).status == 200
                assert len(up.exchanges) == 2

    run(main())


def test_what_is_over_is_given_back_by_the_ticker_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                await tell(control, held("route_off", "small", 1, remaining_s=30.0))
                it.feed.sweep(clock.monotonic_s() + 29.0)
                assert (await it.ask()).code == "route_off"
                it.feed.sweep(clock.monotonic_s() + 30.0)
                assert (await it.ask()).status == 200

    run(main())


def test_a_dead_leader_lets_go_and_its_beat_brings_it_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                await tell(control, held("route_off", "small", 1, remaining_s=20.0, lease_s=60.0))
                await control.stop()
                it.feed.sweep(clock.monotonic_s() + 21.0)
                assert (await it.ask()).status == 200, "nobody renews it"
                await control.start()
                await until(lambda: len(control.hellos()) == 2)
                control.send(Beat(1))
                await until(lambda: it.world.levers.count)
                assert (await it.ask()).code == "route_off"

    run(main())


def test_a_plan_that_comes_is_obeyed_with_what_is_in_force(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                await tell(control, held("route_off", "small", 1))
                await control.acked(control.publish(plan_of(target(up.port))))
                assert (await it.ask()).code == "route_off"
                await control.acked(control.publish(plan_of(target(up.port), version=2)))
                assert (await it.ask()).code == "route_off"

    run(main())


def test_a_target_that_is_off_is_asked_nothing_and_who_waits_for_it_goes_on(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with (
            Upstream(stalling(1)) as a,
            Upstream() as b,
            gateway(tmp_path, routes={}) as it,
        ):
            one = at(a, "a", provisioned=True)
            plan = plan_of(one, routes=routed(one, at(b, "b")))
            assert await it.obey(plan)
            async with following(tmp_path / "s", it) as control:
                cap = held("concurrency_cap", "a", 1)
                assert (await tell(control, cap)).error is None
                first = asyncio.ensure_future(it.ask(body={**HELLO, "model": "a", "stream": True}))
                await a.arrived()
                waiting = asyncio.ensure_future(it.ask(body={**HELLO, "model": "a"}))
                await until(lambda: it.world.waiting)
                await tell(control, cap, held("target_off", "a", 1))
                refused = await waiting
                assert (refused.status, refused.code) == (503, "overloaded")
                for _ in range(4):
                    assert (await it.ask()).status == 200
                assert len(a.exchanges) == 1
                assert len(b.exchanges) == 4
                assert not first.done(), "who is under way goes on"
                first.cancel()

    run(main())


@pytest.mark.parametrize(
    ("asked", "sent"),
    [({}, 50), ({"max_tokens": 400}, 50), ({"max_tokens": 20}, 20)],
)
def test_an_answer_is_as_long_as_it_may_be(
    tmp_path: Path, asked: dict[str, int], sent: int
) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                await tell(control, held("output_cap_tokens", "small", 50))
                assert (await it.ask(body={**HELLO, **asked})).status == 200
                assert sent in up.exchanges[0].json.values()
                receipt = await it.receipt()
                assert receipt.output_ceiling_tokens == asked.get("max_tokens"), "the caller's own"

    run(main())


def test_the_bound_holds_for_every_attempt(tmp_path: Path) -> None:
    async def fail(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")

    async def main() -> None:
        async with Upstream(fail) as a, Upstream(whole()) as b, gateway(tmp_path) as it:
            plan = plan_of(routes=routed(at(a, "a"), unavailable=(at(b, "b"),)))
            assert await it.obey(plan)
            async with following(tmp_path / "s", it) as control:
                await tell(control, held("output_cap_tokens", "small", 50))
                assert (await it.ask()).status == 200
                assert 50 in b.exchanges[0].json.values()

    run(main())


def test_the_lowest_classes_are_shed_and_told_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                await tell(control, held("shed_rank", "", 1))
                assert (await it.ask()).status == 200, "a key's class is standard"
                await tell(control, held("shed_rank", "", 2))
                reply = await it.ask()
                assert (reply.status, reply.code) == (503, "overloaded")
                assert b"operators shed" in reply.body
                await tell(control)
                assert (await it.ask()).status == 200

    run(main())


def test_what_it_cannot_obey_is_acknowledged_with_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                newer = held("replicas", "small", 3), held("route_off", "small", 1)
                assert "no lever replicas" in ((await tell(control, *newer)).error or "")
                assert (await it.ask()).code == "route_off"
                assert "is over" in ((await tell(control, epoch=0)).error or "")
                assert (await it.ask()).code == "route_off"
                await control.acked(control.tell(Forget()))
                assert (await tell(control, epoch=0)).error is None
                assert (await it.ask()).status == 200

    run(main())


def test_after_a_rollback_is_acknowledged_no_request_is_the_candidate_s(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as a, Upstream() as b, gateway(tmp_path) as it:
            routes = canaried(at(a, "stable"), at(b, "coming"))
            assert await it.obey(plan_of(routes=routes))
            async with following(tmp_path / "s", it) as control:
                assert (await it.ask()).status == 200
                assert (len(a.exchanges), len(b.exchanges)) == (1, 0), "nobody holds its weight"
                weight = held("release_weight", "small", 1.0, lease_s=60.0)
                await tell(control, weight)
                done = asyncio.Event()

                async def ask() -> None:
                    while not done.is_set():
                        assert (await it.ask()).status == 200

                asking = [asyncio.ensure_future(ask()) for _ in range(4)]
                await until(lambda: len(b.exchanges) > 20)
                await tell(control, weight, held("release_off", "small", 1))
                acknowledged_at_s = clock.wall_s()
                await until(lambda: len(a.exchanges) > 20)
                done.set()
                await asyncio.gather(*asking)
                after = [one for one in it.receipts() if one.started_at_s >= acknowledged_at_s]
                assert {receipt.arm for receipt in after} == {"stable"}
                assert len(after) > len(asking)

    run(main())
