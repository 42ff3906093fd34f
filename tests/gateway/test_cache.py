"""A kept answer instead of a new one: who gets it, in which form, and what it counts for."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.cached import ASK, STREAMED, bearer, either, house, keeping
from tests.gateway.limited import left
from tests.gateway.rig import HELLO, plan_of, run, target
from tests.gateway.upstream import Exchange, answer_bytes, completion, whole

from tidegate.core.plan import Limit
from tidegate.gateway.overlay import put_in_force


def test_no_tenant_reads_what_another_was_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            keys = [
                it.it.key,
                it.it.store.add(name="b", team="team-a", customer="c"),
                it.it.store.add(name="c", team="team-b"),
            ]
            same = it.it.store.add(name="d", team="team-b")
            for key in (*keys, same):
                await it.it.ask(body=ASK, headers=bearer(key))
            assert await it.outcomes(4) == ["miss", "miss", "miss", "hit"]
            await it.obey(keeping(it.plan, scope="key"))
            for key in (keys[2], same):
                await it.it.ask(body=ASK, headers=bearer(key))
            await it.obey(keeping(it.plan, scope="route"))
            for key in (keys[0], keys[2], same):
                await it.it.ask(body=ASK, headers=bearer(key))
            assert (await it.outcomes(9))[4:] == ["miss", "miss", "miss", "hit", "hit"]

    run(main())


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({**HELLO, "temperature": 0}, False),
        ({**HELLO, "seed": 1}, False),
        ({**ASK, "temperature": 0.5}, False),
        ({**ASK, "temperature": 0.0, "seed": 7}, True),
        ({**ASK, "store": True}, False),
        ({**ASK, "web_search_options": {}}, False),
    ],
)
def test_only_requests_that_want_the_same_each_time_are_answered_alike(
    tmp_path: Path, body: dict[str, Any], kept: bool
) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            for _ in range(2):
                await it.it.ask(body=body)
            assert await it.outcomes(2) == (["miss", "hit"] if kept else ["bypass"] * 2)

    run(main())


def test_any_request_is_where_the_route_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, deterministic="any") as it:
            for _ in range(2):
                await it.it.ask(body=HELLO)
            assert await it.outcomes(2) == ["miss", "hit"]

    run(main())


def test_a_route_may_make_its_requests_want_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            parameters = (("seed", "7"), ("temperature", "0"))
            routes = {
                name: replace(route, parameters=parameters)
                for name, route in it.plan.routes.items()
            }
            await it.obey(replace(it.plan, routes=routes))
            for body in (HELLO, HELLO, {**HELLO, "temperature": 0.7}):
                await it.it.ask(body=body)
            assert await it.outcomes(3) == ["miss", "hit", "bypass"]

    run(main())


def test_what_measures_us_is_asked_in_earnest(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            key = it.it.store.add(name="e", purpose="eval")
            for _ in range(2):
                await it.it.ask(body=ASK, headers=bearer(key))
            assert await it.outcomes(2) == ["bypass", "bypass"]

    run(main())


def test_a_new_release_or_prompt_never_gives_the_old_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            await it.it.ask(body=ASK)
            other = target(it.up.port, model="another")
            await it.obey(keeping(plan_of(other)))
            await it.it.ask(body=ASK)
            spoken = {
                name: replace(route, system_prompt="Be brief.")
                for name, route in it.plan.routes.items()
            }
            await it.obey(replace(it.plan, routes=spoken))
            await it.it.ask(body=ASK)
            await it.obey(it.plan)
            await it.it.ask(body=ASK)
            assert await it.outcomes(4) == ["miss", "miss", "miss", "hit"]

    run(main())


def test_a_model_that_changed_behind_its_name_makes_kept_answers_old(tmp_path: Path) -> None:
    async def main() -> None:
        models = iter(["one", "two", "two"])

        async def script(exchange: Exchange) -> None:
            answer = {**completion(), "model": next(models)}
            exchange.send(answer_bytes(200, msgspec.json.encode(answer)))

        async with house(tmp_path, script) as it:
            await it.it.ask(body=ASK)
            await it.it.ask(body={**ASK, "seed": 2})
            await it.it.ask(body=ASK)
            await it.it.ask(body=ASK)
            assert await it.outcomes(4) == ["miss", "miss", "miss", "hit"]

    run(main())


def test_a_caller_may_do_without(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            key = it.it.key
            await it.it.ask(body=ASK)
            for words in (
                {"cache-control": "no-cache"},
                {"x-tidegate-cache-namespace": "mine"},
                {"cache-control": "max-age=0"},
                {"cf-aig-skip-cache": "true"},
            ):
                await it.it.ask(body=ASK, headers=bearer(key, **words))
            await it.it.ask(body={**ASK, "cache": {"no-cache": True}})
            assert await it.outcomes(6) == ["miss"] * 6
            assert "cache" not in it.up.exchanges[-1].json
            wrong = await it.it.ask(body=ASK, headers=bearer(key, **{"x-tidegate-cache": "maybe"}))
            assert (wrong.status, wrong.code) == (400, "invalid_parameter")

    run(main())


def test_no_store_keeps_nothing_and_a_ttl_only_shortens(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            key = it.it.key
            for _ in range(2):
                headers = bearer(key, **{"cache-control": "no-store"})
                await it.it.ask(body=ASK, headers=headers)
            await it.it.ask(body=ASK, headers=bearer(key, **{"x-tidegate-cache-ttl": "99999"}))
            told = await it.it.ask(body=ASK)
            assert told.headers["cache-control"] == "private, max-age=3600"
            assert await it.outcomes(4) == ["miss", "miss", "miss", "hit"]

    run(main())


def test_an_answer_to_what_says_a_member_twice_is_its_caller_s_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            body = msgspec.json.encode(ASK)
            twice = body.replace(b'"content":', b'"content":"another","content":')
            assert twice != body
            for one in (twice, body, body):
                await it.it.ask(body=one)
            assert await it.outcomes(3) == ["miss", "miss", "hit"]

    run(main())


def test_who_names_a_ttl_has_no_older_answer_not_even_a_stale_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, stale_s=60.0, stale_if_error_s=60.0) as it:
            await it.it.ask(body=ASK)
            await it.it.ask(body=ASK, headers=bearer(it.it.key, **{"x-tidegate-cache-ttl": "0"}))
            assert await it.outcomes(2) == ["miss", "miss"]

    run(main())


def test_a_hit_counts_as_a_request_and_uses_neither_tokens_nor_money(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            Limit("requests", "requests", 10, per_s=86_400.0),
            Limit("tokens", "tokens", 1_000_000, per_s=86_400.0),
            Limit("money", "spend", 10**9, unit="month"),
        )
        async with house(tmp_path, limits=limits) as it:
            await it.it.ask(body=ASK)
            after = left(it.it, "tokens"), left(it.it, "money")
            await it.it.ask(body=ASK)
            assert (left(it.it, "tokens"), left(it.it, "money")) == after
            assert left(it.it, "requests") == 8
            assert await it.outcomes(2) == ["miss", "hit"]

    run(main())


def test_who_has_spent_everything_may_have_a_kept_answer_and_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            Limit("requests", "requests", 10, per_s=86_400.0),
            Limit("money", "spend", 130_000, unit="month"),
        )
        short = {**ASK, "max_tokens": 5}
        async with house(tmp_path, limits=limits) as it:
            made = await it.it.ask(body=short)
            kept = await it.it.ask(body=short)
            assert (made.status, kept.status) == (200, 200)
            before = left(it.it, "requests")
            other = await it.it.ask(body={**short, "seed": 2})
            assert (other.status, other.code) == (429, "insufficient_quota")
            assert left(it.it, "requests") == before, "it was no request"
            assert (await it.it.receipt(3)).refused_by == "money"
            assert await it.outcomes(3) == ["miss", "hit", "miss"]
            assert it.asked == 1

    run(main())


def test_an_old_answer_stands_in_while_nobody_has_a_new_one(tmp_path: Path) -> None:
    async def main() -> None:
        down = False

        async def script(exchange: Exchange) -> None:
            if down:
                exchange.send(answer_bytes(503, b"{}"))
            else:
                await either(exchange)

        async with house(tmp_path, script, ttl_s=0.02, stale_if_error_s=60.0) as it:
            await it.it.ask(body=ASK)
            await asyncio.sleep(0.03)
            down = True
            for body in (ASK, STREAMED):
                reply = await it.it.ask(body=body)
                assert (reply.status, reply.headers["x-tidegate-cache"]) == (200, "stale")
            other = await it.it.ask(body={**ASK, "seed": 2})
            assert other.status == 503
            first, second = it.it.receipts()[1:3]
            assert (first.status, first.error_code, first.cache) == (200, None, "stale")
            assert [it.failure for it in first.attempts] == ["unavailable"]
            assert (first.finish_reason, second.stream) == ("stop", True)
            assert it.asked == 4

    run(main())


def test_a_route_that_keeps_nothing_looks_for_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, whole()) as it:
            await it.obey(plan_of(target(it.up.port)))
            reply = await it.it.ask(body=ASK)
            assert "x-tidegate-cache" not in reply.headers
            assert await it.outcomes(1) == [None]
            assert it.it.world.cache.memory == {}

    run(main())


def test_while_it_is_off_the_same_is_asked_anew_and_nothing_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            await it.it.ask(body=ASK)
            base = it.it.world.plan
            put_in_force(it.it.world, base, {"exact_cache_off": {"small": 1.0}})
            off = await it.it.ask(body={**ASK, "cache": {"ttl": 60}})
            assert off.headers["x-tidegate-cache"] == "bypass"
            await it.it.ask(body={**ASK, "seed": 2})
            put_in_force(it.it.world, base, {})
            await it.it.ask(body=ASK)
            await it.it.ask(body={**ASK, "seed": 2})
            assert await it.outcomes(5) == ["miss", "bypass", "bypass", "hit", "miss"]
            assert (await it.it.receipt(2)).cache_lookup_s is None, "nobody looked"

    run(main())
