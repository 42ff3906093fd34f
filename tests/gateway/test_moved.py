"""Requests that wait for a version which is rolled back: nothing of them is sent there any more."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.canaried import ROLLOUT, canaried
from tests.gateway.moved_rig import NARROW, STREAMED, Asking, Held, either, moving
from tests.gateway.rig import plan_of, run, until
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream, whole

from tidegate.core.outcome import Failure
from tidegate.gateway import call
from tidegate.gateway.shadow import Shadows


def test_no_request_of_any_gateway_goes_to_what_was_rolled_back(tmp_path: Path) -> None:
    """Three gateways, each with one request at the candidate and eight in its line."""

    async def main() -> None:
        held = Held()
        async with contextlib.AsyncExitStack() as open_:
            good = await open_.enter_async_context(Upstream(either))
            bad = await open_.enter_async_context(Upstream(held))
            routes = canaried(at(good, "a"), at(bad, "b", queueing=NARROW))
            fleet = [
                await open_.enter_async_context(moving(tmp_path / str(number), routes))
                for number in range(3)
            ]
            asking: Asking = []
            for one in fleet:
                asking += one.ask(5) + one.ask(4, STREAMED)
            await bad.arrived(3)
            await until(lambda: all(len(it.it.world.waiting) == 8 for it in fleet))
            assert (len(bad.exchanges), len(good.exchanges)) == (3, 0)
            for one in fleet:
                one.flip()
            await until(lambda: len(good.exchanges) == 24)
            held.answers.set()
            replies = await asyncio.gather(*asking)
            assert {reply.status for reply in replies} == {200}
            assert len(bad.exchanges) == 3
            receipts = [receipt for it in fleet for receipt in it.it.receipts()]
            of_bad = [it for it in receipts if it.target == "b"]
            assert [(it.arm, it.arm_forced, it.release) for it in of_bad] == [
                ("canary", False, "small@2")
            ] * 3
            moved = [it for it in receipts if it.target == "a"]
            assert len(moved) == 24
            for receipt in moved:
                assert (receipt.rollout, receipt.arm, receipt.release) == (
                    *(ROLLOUT, "stable", "small@1"),
                )
                assert receipt.arm_forced and receipt.unit is not None
                assert [attempt.target for attempt in receipt.attempts] == ["a"]
            shown = [reply.headers["x-tidegate-release"] for reply in replies]
            assert (shown.count("small@1"), shown.count("small@2")) == (24, 3)
            for one in fleet:
                assert {it.in_flight for _, it in one.it.world.queues} == {0}

    run(main())


def test_the_next_attempt_of_what_failed_there_goes_to_what_serves_now(tmp_path: Path) -> None:
    async def main() -> None:
        no = whole({"error": {"message": "later"}}, 429, [("retry-after", "0.3")])
        async with Upstream() as good, Upstream(no) as bad:
            routes = canaried(at(good, "a"), at(bad, "b"))
            async with moving(tmp_path, routes) as it:
                [asking] = it.ask(1)
                await until(lambda: it.it.world.pausing)
                it.flip()
                assert (await asking).headers["x-tidegate-target"] == "a"
                receipt = await it.it.receipt()
                assert [one.target for one in receipt.attempts] == ["b", "a"]
                assert (receipt.release, receipt.arm_forced) == ("small@1", True)
                assert len(bad.exchanges) == 1

    run(main())


def test_one_that_waits_for_its_connection_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with Upstream() as good, Upstream() as bad:
            routes = canaried(at(good, "a"), at(bad, "b"))
            async with moving(tmp_path, routes) as it:
                connect = call.connection_to

                async def slowly(*given: Any) -> Any:
                    found = await connect(*given)
                    it.flip()
                    return found

                monkeypatch.setattr(call, "connection_to", slowly)
                [asking] = it.ask(1)
                assert (await asking).headers["x-tidegate-target"] == "a"
                assert (bad.connected, len(bad.exchanges)) == (1, 0)
                receipt = await it.it.receipt()
                assert [one.failure for one in receipt.attempts] == ["withdrawn", None]
                assert receipt.attempts[0].cost_nanousd == 0

    run(main())


def test_one_whose_connection_failed_tells_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with Upstream() as good, Upstream() as bad:
            routes = canaried(at(good, "a"), at(bad, "b"))
            async with moving(tmp_path, routes) as it:

                async def failing(*given: Any) -> Any:
                    monkeypatch.undo()
                    it.flip()
                    raise Failure("unavailable", "upstream_unreachable", "refused")

                monkeypatch.setattr(call, "connection_to", failing)
                [asking] = it.ask(1)
                assert (await asking).headers["x-tidegate-target"] == "a"
                receipt = await it.it.receipt()
                assert [one.failure for one in receipt.attempts] == ["unavailable", None]

    run(main())


def test_what_was_promoted_and_taken_back_gets_nobody_who_waits(tmp_path: Path) -> None:
    async def main() -> None:
        held = Held()
        async with Upstream() as good, Upstream(held) as bad:
            promoted = routed(at(bad, "b", queueing=NARROW), came_by=(ROLLOUT,))
            async with moving(tmp_path, promoted) as it:
                asking = it.ask(3)
                await until(lambda: len(it.it.world.waiting) == 2)
                back = routed(at(good, "a"), taken_back=(ROLLOUT,))
                assert await it.it.obey(plan_of(routes=back, version=2))
                await good.arrived(2)
                held.answers.set()
                replies = await asyncio.gather(*asking)
                served = sorted(reply.headers["x-tidegate-target"] for reply in replies)
                assert served == ["a", "a", "b"]
                assert len(bad.exchanges) == 1
                versions = {one.target: one.plan_version for one in it.it.receipts()}
                assert versions == {"a": 2, "b": 1}

    run(main())


def test_a_promotion_takes_nobody_away(tmp_path: Path) -> None:
    async def main() -> None:
        held = Held()
        async with Upstream() as good, Upstream(held) as bad:
            coming = at(bad, "b", queueing=NARROW)
            async with moving(tmp_path, canaried(at(good, "a"), coming)) as it:
                asking = it.ask(3)
                await until(lambda: len(it.it.world.waiting) == 2)
                promoted = routed(coming, came_by=(ROLLOUT,))
                assert await it.it.obey(plan_of(routes=promoted, version=2))
                held.answers.set()
                replies = await asyncio.gather(*asking)
                assert {it.headers["x-tidegate-target"] for it in replies} == {"b"}
                receipts = it.it.receipts()
                assert {(one.arm, one.arm_forced) for one in receipts} == {("canary", False)}

    run(main())


def test_a_copy_that_waits_is_not_sent_either(tmp_path: Path) -> None:
    async def main() -> None:
        held = Held()
        async with Upstream() as good, Upstream(held) as bad:
            routes = canaried(at(good, "a"), at(bad, "b", queueing=NARROW), shadow_nanousd=10**12)
            async with moving(tmp_path, routes, "shadow_share") as it:
                shadows = it.it.world.shadows = Shadows(it.it.world)
                places = it.it.world.queues.at(at(bad, "b", queueing=NARROW))
                for _ in range(2):
                    assert (await it.it.ask()).status == 200
                await until(lambda: len(shadows) == 1)
                assert places.in_flight == 1
                it.flip()
                held.answers.set()
                await until(lambda: not len(shadows))
                assert len(bad.exchanges) <= 1

    run(main())
