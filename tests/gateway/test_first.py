"""Which target is asked first, when some or all of a route's own cannot be."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.rig import HELLO, gateway, run
from tests.gateway.routed import SOON, at, routed
from tests.gateway.upstream import Upstream, whole

from tidegate.core.resilience import Breaker

ONCE = replace(SOON, attempts=1)
NO = {"error": {"message": "no"}}


def test_a_target_that_failed_too_often_is_not_asked_first(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream() as good:
            fragile = at(bad, "a", breaker=Breaker(failures=3, open_s=3600.0))
            routes = routed(fragile, retry=ONCE, unavailable=(at(good, "b"),))
            async with gateway(tmp_path, fragile, routes=routes) as it:
                for _ in range(5):
                    assert (await it.ask()).status == 200
                assert len(bad.exchanges) == 3
                assert [len(r.attempts) for r in it.receipts()] == [2, 2, 2, 1, 1]
                assert [r.passed_over for r in it.receipts()] == [False] * 3 + [True] * 2

    run(main())


def test_when_nothing_is_left_it_is_tried_or_refused_as_the_plan_says(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad:
            for when, asked in (("try", 4), ("refuse", 2)):
                bad.exchanges.clear()
                rules = Breaker(failures=2, open_s=60.0, when_all_open=when)  # type: ignore[arg-type]
                fragile = at(bad, "a", breaker=rules)
                routes = routed(fragile, retry=ONCE)
                async with gateway(tmp_path / when, fragile, routes=routes) as it:
                    replies = [await it.ask() for _ in range(4)]
                    assert len(bad.exchanges) == asked
                    last = replies[-1]
                    if when == "refuse":
                        assert (last.status, last.code) == (503, "upstream_overloaded")
                        assert 0 < int(last.headers["retry-after-ms"]) <= 60_000

    run(main())


def test_of_those_that_throttle_the_first_that_may_be_asked_says_when(tmp_path: Path) -> None:
    async def main() -> None:
        later = whole(NO, 429, [("retry-after", "40")])
        soon = whole(NO, 429, [("retry-after", "20")])
        async with Upstream(later) as one, Upstream(soon) as other, Upstream() as small:
            pool = at(one, "a"), at(other, "b")
            unfit = at(small, "c", context_tokens=1)
            routes = routed(*pool, retry=ONCE, rate_limited=(unfit,))
            async with gateway(tmp_path, pool[0], routes=routes) as it:
                replies = [await it.ask() for _ in range(2)]
                assert [reply.status for reply in replies] == [429, 429]
                assert 10_000 < int(replies[1].headers["retry-after-ms"]) <= 20_000
                assert not small.exchanges

    run(main())


@pytest.mark.parametrize("parts", ["targets", "replicas"])
def test_conversations_of_one_key_are_spread_and_each_stays(tmp_path: Path, parts: str) -> None:
    def turn(number: int, *more: str) -> dict[str, object]:
        said = [{"role": "user", "content": f"{number}"}]
        for text in more:
            said += [{"role": "assistant", "content": text}, {"role": "user", "content": text}]
        return {**HELLO, "messages": said}

    async def main() -> None:
        async with Upstream() as one, Upstream() as other:
            pool = at(one, "a"), at(other, "b")
            if parts == "replicas":
                pool = (replace(pool[0], replicas=pool[0].replicas + pool[1].replicas),)  # type: ignore[assignment]
            routes = routed(*pool, balance="sticky")
            async with gateway(tmp_path, pool[0], routes=routes) as it:
                for number in range(16):
                    await it.ask(body=turn(number))
                    await it.ask(body=turn(number, "well"))
                    await it.ask(body=turn(number, "well", "so"))
                served = [receipt.replica for receipt in it.receipts()]
                assert len(set(served)) == 2
                assert all(len(set(served[n : n + 3])) == 1 for n in range(0, 48, 3))

    run(main())
