"""Requests that wait for a version which is rolled back: nothing of them is sent there any more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.canaried import ROLLOUT, canaried
from tests.gateway.limited import budget
from tests.gateway.reply import Reply
from tests.gateway.rig import HELLO, PRICE, Gateway, gateway, plan_of, run, until
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Exchange, Upstream, streaming, whole

from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.ladder import Rung, When
from tidegate.core.outcome import Failure
from tidegate.core.plan import Plan, Queueing, Route
from tidegate.core.price import Rate
from tidegate.gateway import call
from tidegate.gateway.overlay import put_in_force
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.shadow import Shadows

NARROW = Queueing(max_in_flight=1)
STREAMED = {**HELLO, "stream": True}
Asking = list["asyncio.Task[Reply]"]


async def either(exchange: Exchange) -> None:
    """As it was asked: whole, or as a stream."""
    await (streaming() if exchange.json.get("stream") else whole())(exchange)


class Held:
    """A provider that answers nobody before it is told to."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        await self.answers.wait()
        await either(exchange)


class Moving:
    """A gateway whose candidate everybody gets until it is rolled back."""

    def __init__(self, it: Gateway, plan: Plan, lever: str = "release_weight") -> None:
        assert it.world.plan is not None
        self.it = it
        self.base: PreparedPlan = it.world.plan
        self.plan = plan
        put_in_force(it.world, self.base, {lever: {"small": 1.0}})

    def flip(self) -> None:
        put_in_force(self.it.world, self.base, {})

    def ask(self, count: int, body: Any = None) -> Asking:
        return [asyncio.create_task(self.it.ask(body=body)) for _ in range(count)]


@contextlib.asynccontextmanager
async def moving(
    folder: Path,
    routes: dict[str, Route],
    lever: str = "release_weight",
    **fields: Any,
) -> AsyncIterator[Moving]:
    plan = plan_of(routes=routes, **fields)
    async with gateway(folder) as it:
        assert await it.obey(plan)
        yield Moving(it, plan, lever)


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


def test_what_a_release_adds_goes_with_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as good, Upstream(Held()) as bad:
            stable = at(good, "a")
            routes = canaried(
                stable,
                at(bad, "b", queueing=NARROW),
                with_system_prompt="be brief",
                with_parameters=(("max_tokens", "7"),),
            )
            routes["small"] = replace(routes["small"], system_prompt="be kind")
            async with moving(tmp_path, routes) as it:
                asking = it.ask(2)
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                it.flip()
                sent = (await good.arrived()).json
                assert sent["messages"][0] == {"role": "system", "content": "be kind"}
                assert "max_tokens" not in sent
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
                for one in asking:
                    one.cancel()

    run(main())


def test_what_it_says_to_the_cache_is_for_the_cache_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as good, Upstream(Held()) as bad:
            kept = RouteCache(ExactCache(deterministic="any"))
            routes = canaried(at(good, "a"), at(bad, "b", queueing=NARROW), with_cache=kept)
            routes["small"] = replace(routes["small"], cache=kept)
            async with moving(tmp_path, routes) as it:
                # Of two that ask the same one would wait for the other.
                asking = it.ask(2, {**HELLO, "cache": {"no-cache": True}})
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                it.flip()
                assert "cache" not in (await good.arrived()).json
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
                for one in asking:
                    one.cancel()

    run(main())


@pytest.mark.parametrize(("left", "status"), [(10**8, 200), (40_000, 429)])
def test_what_is_dearer_is_held_for_or_refused(tmp_path: Path, left: int, status: int) -> None:
    """The candidate costs a tenth: there was money for that, and the rest is asked for."""

    async def main() -> None:
        cheap = replace(PRICE, input=Rate(100_000_000), output=Rate(200_000_000))
        async with Upstream() as good, Upstream(Held()) as bad:
            coming = at(bad, "b", queueing=NARROW, price=cheap)
            routes = canaried(at(good, "a"), coming)
            limits = (budget(left),)
            async with moving(tmp_path, routes, limits=limits) as it:
                asking = it.ask(2, {**HELLO, "max_tokens": 20})
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                it.flip()
                done, waiting = await asyncio.wait(
                    asking, return_when=asyncio.FIRST_COMPLETED, timeout=5
                )
                assert [one.result().status for one in done] == [status]
                [receipt] = it.it.receipts()
                assert len(good.exchanges) == (status == 200)
                used = sum(hold.used or 0 for hold in receipt.holds)
                assert used == (receipt.cost_nanousd or 0)
                for one in waiting:
                    one.cancel()

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


def test_the_ladder_of_what_serves_now_is_the_requests(tmp_path: Path) -> None:
    """It waits in line under its ladder's patience, which is no longer its own afterwards."""
    slow = Rung("slow", "apology", When(slow_answer_s=20.0), text="Later.")
    down = Rung("down", "apology", When(("unavailable",)), text="Sorry.")

    async def main() -> None:
        held = Held()
        async with Upstream(whole({}, 500)) as good, Upstream(held) as bad:
            routes = canaried(at(good, "a"), at(bad, "b", queueing=NARROW))
            own = routes["small"]
            assert own.candidate is not None
            coming = replace(own.candidate.route, ladder=(slow,))
            candidate = replace(own.candidate, route=coming)
            routes["small"] = replace(own, candidate=candidate, ladder=(down,))
            async with moving(tmp_path, routes) as it:
                asking = it.ask(2)
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                it.flip()
                held.answers.set()
                await asyncio.gather(*asking)
                moved = next(one for one in it.it.receipts() if one.arm_forced)
                assert (moved.rung, moved.rung_reason) == ("down", "unavailable")
                assert moved.release == "small@1"

    run(main())


def test_it_begins_where_what_serves_now_has_its_requests_begin(tmp_path: Path) -> None:
    floor = Rung("floor", "apology", When(("unavailable",)), text="Not now.")

    async def main() -> None:
        held = Held()
        async with Upstream(whole()) as good, Upstream(held) as bad:
            routes = canaried(at(good, "a"), at(bad, "b", queueing=NARROW))
            routes["small"] = replace(routes["small"], ladder=(floor,))
            async with moving(tmp_path, routes) as it:
                asking = it.ask(2)
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                put_in_force(it.it.world, it.base, {"target_off": {"a": 1.0}})
                held.answers.set()
                await asyncio.gather(*asking)
                moved = next(one for one in it.it.receipts() if one.arm_forced)
                assert (moved.rung, moved.rung_reason) == ("floor", "unavailable")
                assert not good.exchanges

    run(main())
