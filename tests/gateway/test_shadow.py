"""Copies of requests: what a release is asked before anybody gets it, in nobody's way."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.canaried import ROLLOUT, canaried
from tests.gateway.rig import HELLO, PRICE, gateway, run, until
from tests.gateway.routed import at
from tests.gateway.shadowed import Beside, beside
from tests.gateway.upstream import Upstream, streaming, whole
from tests.gateway.with_prompt import NAME, tagged, version

from tidegate.core import clock
from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.plan import Limit, Queueing
from tidegate.core.prompt import RoutePrompt
from tidegate.core.resilience import Breaker
from tidegate.gateway.prompt_versions import PromptVersions

NO = {"error": {"message": "no"}}
STREAMED = {**HELLO, "stream": True}


class Drawn:
    """Keeps what would be copied."""

    def __init__(self, drawn: list[Any]) -> None:
        self._drawn = drawn

    def follow(self, *asked: Any) -> None:
        self._drawn.append(asked)


def test_a_copy_is_a_request_of_nobodys_with_a_receipt_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path) as it:
            body = {**HELLO, "user": "ada"}
            assert (await it.it.ask(body=body)).headers["x-tidegate-target"] == "a"
            [asked], [copy] = await it.receipts()
            assert (asked.arm, asked.target) == ("stable", "a")
            assert (copy.arm, copy.purpose, copy.target) == ("shadow", "shadow", "b")
            assert (copy.rollout, copy.shadow_of, copy.release) == (ROLLOUT, asked.id, "small@2")
            assert copy.unit == asked.unit and copy.priority == "batch"
            assert copy.output_tokens == 5 and copy.error_code is None
            for nobodys in ("key_id", "team", "customer", "end_user", "session_id"):
                assert getattr(copy, nobodys) is None
            assert msgspec.json.decode(it.coming.exchanges[0].body)["messages"] == HELLO["messages"]

    run(main())


def test_what_a_caller_says_of_kept_answers_is_not_copied(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path, with_cache=RouteCache(exact=ExactCache())) as it:
            assert (await it.it.ask(body={**HELLO, "cache": {"no-cache": True}})).status == 200
            _, [copy] = await it.receipts()
            assert copy.error_code is None
            assert "cache" not in msgspec.json.decode(it.coming.exchanges[0].body)

    run(main())


def test_streams_are_copied_as_streams(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path, script=streaming()) as it:
            it.stable.script = streaming()
            reply = await it.it.ask(body=STREAMED)
            assert reply.status == 200
            _, [copy] = await it.receipts()
            assert copy.stream and copy.ttft_s is not None and copy.content_chunks == 5

    run(main())


def test_only_so_many_are_copied_as_the_share_says(tmp_path: Path) -> None:
    async def main() -> None:
        for share, least, most in ((0.0, 0, 0), (0.3, 4, 27), (1.0, 50, 50)):
            async with beside(tmp_path / str(share), share) as it:
                for _ in range(50):
                    assert (await it.it.ask()).status == 200
                    await until(lambda it=it: not len(it.shadows))
                _, copies = await it.receipts()
                assert least <= len(copies) <= most

    run(main())


def test_a_release_that_fails_or_never_answers_is_nobodys_trouble(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path / "no", script=whole(NO, 500)) as it:
            assert (await it.it.ask()).status == 200
            [asked], [copy] = await it.receipts()
            assert asked.error_code is None and copy.error_code is not None
            assert len(copy.attempts) == 1  # it is asked once

        async def never(_: Any) -> list[Any]:
            await asyncio.sleep(3600)
            return []

        async with beside(tmp_path / "never", script=never) as it:
            for _ in range(3):
                assert (await it.it.ask()).status == 200
            assert len(it.shadows) == 3
            await it.shadows.stop()
            callers, copies = await it.receipts()
            assert len(callers) == 3
            assert [copy.error_code for copy in copies] == ["draining"] * 3

    run(main())


def test_so_many_are_under_way_at_once_and_the_others_are_not_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async def never(_: Any) -> list[Any]:
            await asyncio.sleep(3600)
            return []

        async with beside(tmp_path, script=never) as it:
            for _ in range(10):
                assert (await it.it.ask()).status == 200
            assert len(it.shadows) == 8 and it.skipped == {"in_flight": 2}

    run(main())


def test_those_that_are_drawn_in_one_turn_of_the_loop_are_bounded_too(tmp_path: Path) -> None:
    async def main() -> None:
        async def never(_: Any) -> list[Any]:
            await asyncio.sleep(3600)
            return []

        for budget, why in ((10**13, "in_flight"), (50_000_000, "money")):
            price = {"price": PRICE}
            async with beside(
                tmp_path / why, script=never, coming=price, shadow_nanousd=budget
            ) as it:
                drawn: list[Any] = []
                it.it.world.shadows = Drawn(drawn)
                assert (await it.it.ask()).status == 200
                await until(partial(bool, drawn))
                for _ in range(10):
                    it.shadows.follow(*drawn[0])
                copies = it.candidate.copies
                assert it.skipped == {why: 10 - copies.in_flight} and 0 < copies.sent <= 8
                assert 0 < copies.held_nanousd <= budget
            assert (copies.in_flight, copies.held_nanousd) == (0, 0)

    run(main())


def test_money_is_held_before_it_is_spent_and_ends_the_copies(tmp_path: Path) -> None:
    async def main() -> None:
        price = {"price": PRICE}
        async with beside(tmp_path / "little", coming=price, shadow_nanousd=1) as it:
            await it.it.ask()
            assert it.skipped == {"money": 1} and not it.coming.exchanges
        async with beside(tmp_path / "enough", coming=price, shadow_nanousd=10**13) as it:
            await it.it.ask()
            _, [copy] = await it.receipts()
            assert it.candidate.copies.spent_nanousd == copy.cost_nanousd == 11_000 + 10_000
            assert it.candidate.copies.held_nanousd == 0
        unknown = {"price": None, "dialect": "openai", "unpriced_allowed": True}
        async with beside(tmp_path / "unknown", coming=unknown) as it:
            await it.it.ask()
            assert it.skipped == {"money": 1}

    run(main())


def test_a_copy_counts_in_no_limit_of_its_caller(tmp_path: Path) -> None:
    async def main() -> None:
        one = Limit("one", "requests", 2, ("team",), per_s=3600.0)
        async with beside(tmp_path, limits=(one,)) as it:
            for _ in range(2):
                assert (await it.it.ask()).status == 200
            _, copies = await it.receipts()
            assert len(copies) == 2 and not any(copy.holds for copy in copies)
            assert (await it.it.ask()).status == 429
            assert len((await it.receipts())[1]) == 2  # what was refused is not copied

    run(main())


def test_where_callers_want_for_room_no_copy_is_sent(tmp_path: Path) -> None:
    async def main() -> None:
        narrow = {"queueing": Queueing(max_in_flight=1)}
        async with beside(tmp_path, coming=narrow) as it:
            target = it.candidate.route.target.target
            place = it.it.world.queues.at(target).take(0, False, 0.0)
            assert place is not None
            await it.it.ask()
            it.it.world.pressure.sheds = True
            await it.it.ask(headers={"authorization": f"Bearer {it.it.key}"})
            assert it.skipped.keys() <= {"busy", "pressure"} and sum(it.skipped.values()) == 2

    run(main())


def test_what_the_canary_was_assigned_is_not_copied_to_it_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path) as it:
            it.candidate.weight = 1.0
            assert (await it.it.ask()).headers["x-tidegate-arm"] == "canary"
            callers, copies = await it.receipts()
            assert len(callers) == 1 and not copies

    run(main())


def test_a_caller_who_gets_no_answer_is_not_copied(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path) as it:
            assert (await it.it.ask(body={**HELLO, "n": 0})).status == 400
            assert (await it.receipts()) == ([], []) or not it.coming.exchanges

    run(main())


def test_the_releases_own_prompt_is_in_the_copy_and_not_stables(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path, with_system_prompt="Be new.") as it:
            await it.it.ask()
            await it.receipts()
            sent = msgspec.json.decode(it.coming.exchanges[0].body)["messages"]
            assert [turn["content"] for turn in sent] == ["Be new.", "hi"]
            before = msgspec.json.decode(it.stable.exchanges[0].body)["messages"]
            assert [turn["content"] for turn in before] == ["hi"]

    run(main())


def test_what_has_servers_act_is_not_done_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path) as it:
            acting = {"type": "mcp", "server_label": "mail", "server_url": "https://mail.test"}
            assert (await it.it.ask(body={**HELLO, "tools": [acting]})).status == 200
            assert it.skipped == {"servers": 1} and not it.coming.exchanges

    run(main())


def test_what_ends_with_its_release_copies_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path) as it:
            plan = it.it.world.plan
            assert plan is not None
            plan.routes["small"].candidate = None
            assert (await it.it.ask()).status == 200
            assert len(it.shadows) == 0

    run(main())


def test_what_fails_with_a_copy_keeps_no_caller_from_the_same_target(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            rules = Breaker(failures=1, open_s=3600.0)
            shared = at(up, "a", breaker=rules)
            routes = canaried(shared, shared, with_system_prompt="Be new.", shadow_nanousd=10**12)
            async with gateway(tmp_path, shared, routes=routes) as it:
                beside = Beside(it, up, up)
                beside.candidate.shadow_share = 1.0
                answer = up.script

                async def only_callers(exchange: Any) -> Any:
                    fails = b"Be new." in exchange.body
                    return await (whole(NO, 500) if fails else answer)(exchange)

                up.script = only_callers
                for _ in range(3):
                    assert (await it.ask()).status == 200
                callers, copies = await beside.receipts()
                assert [one.error_code for one in callers] == [None] * 3
                assert len(copies) == 3 and all(one.error_code for one in copies)
                [replica] = beside.candidate.route.target.replicas
                assert replica.breaker.state == "closed"

    run(main())


def test_a_target_that_is_left_alone_is_sent_no_copy(tmp_path: Path) -> None:
    async def main() -> None:
        rules = {"breaker": Breaker(failures=1, open_s=3600.0)}
        async with beside(tmp_path, coming=rules) as it:
            [replica] = it.candidate.route.target.replicas
            replica.breaker.told("failed", False, clock.monotonic_s())
            assert (await it.it.ask()).status == 200
            assert it.skipped == {"resting": 1}

    run(main())


def test_what_the_release_would_refuse_is_not_copied(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with beside(tmp_path) as it:
            prompts = {NAME: tagged(version("v3"))}
            it.candidate.route.prompt = PromptVersions().of_route(RoutePrompt(NAME), prompts)
            assert (await it.it.ask(body=HELLO)).status == 200
            assert it.skipped == {"refused": 1}
        assert "could not be copied" not in caplog.text

    run(main())
