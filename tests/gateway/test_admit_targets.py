"""Limits by target over several attempts: what one of them has asked for ends with its attempt."""

from pathlib import Path

from tests.gateway.attempted import NO, ONCE, STREAM
from tests.gateway.rig import HELLO, gateway, run
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream, streaming, whole

from tidegate.core.plan import Limit

SMALL = Limit("small", "spend", 250_000, unit="month", only=(("target", "a"),))


def test_the_next_target_is_not_bound_by_what_was_left_at_the_one_before(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream(streaming(400)) as good:
            routes = routed(at(bad, "a"), retry=ONCE, unavailable=(at(good, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes, limits=(SMALL,)) as it:
                reply = await it.ask(body=STREAM)
                assert 16 <= bad.exchanges[0].json["max_tokens"] < 125
                assert "max_tokens" not in good.exchanges[0].json
                assert reply.body.count(b"t399 ") == 1, "it is not cut where the first would be"

    run(main())


def test_what_one_target_s_tokens_were_counted_as_says_nothing_of_another_s(
    tmp_path: Path,
) -> None:
    text = {**HELLO, "max_tokens": 10, "messages": [{"role": "user", "content": "and " * 200}]}
    of_each = Limit("each", "tokens", 400, ("target",), per_s=60.0)

    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream() as good:
            counted, bounded = at(bad, "a", tokenizer="o200k"), at(good, "b")
            routes = routed(counted, retry=ONCE, unavailable=(bounded,))
            async with gateway(tmp_path, counted, routes=routes, limits=(of_each,)) as it:
                assert (await it.ask(body=text)).status == 502
                assert (len(bad.exchanges), len(good.exchanges)) == (1, 0)

    run(main())


def test_a_target_without_a_price_does_not_hold_another_s(tmp_path: Path) -> None:
    budget = Limit("money", "spend", 10**9, ("target",), unit="month")

    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream() as good:
            unpriced = at(good, "b", price=None, unpriced_allowed=True)
            routes = routed(at(bad, "a"), retry=ONCE, unavailable=(unpriced,))
            async with gateway(tmp_path, at(bad, "a"), routes=routes, limits=(budget,)) as it:
                assert (await it.ask()).status == 502
                assert (len(bad.exchanges), len(good.exchanges)) == (1, 0)

    run(main())


def test_what_was_not_sent_to_a_target_is_not_counted_there(tmp_path: Path) -> None:
    once = Limit("once", "requests", 1, per_s=3600.0, only=(("target", "a"),))

    async def main() -> None:
        async with Upstream() as up, Upstream() as wide:
            narrow = at(up, "a", context_tokens=1)
            routes = routed(narrow, overflow=(at(wide, "b"),))
            async with gateway(tmp_path, narrow, routes=routes, limits=(once,)) as it:
                assert [(await it.ask()).status for _ in range(3)] == [200] * 3
                assert not up.exchanges
                assert [receipt.holds for receipt in it.receipts()] == [[], [], []]

    run(main())
