"""The head of a kept answer tells who made it, how old it is, and what else a live one tells."""

from pathlib import Path

from tests.gateway.cached import ASK, house
from tests.gateway.rig import HELLO, run

from tidegate.core.plan import Limit


def test_a_kept_answer_tells_all_that_a_live_one_does_and_its_age(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (Limit("requests", "requests", 10, per_s=60.0),)
        async with house(tmp_path, limits=limits) as it:
            live = await it.it.ask(body=ASK)
            kept = await it.it.ask(body=ASK)
            more = set(kept.headers) - set(live.headers)
            assert set(live.headers) <= set(kept.headers)
            assert more == {"age", "cache-control", "x-tidegate-cache-tier"}
            assert "x-ratelimit-remaining-requests" in kept.headers
            assert kept.headers["x-request-id"] == (await it.it.receipt(2)).id

    run(main())


def test_a_stream_says_once_how_long_it_may_be_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, deterministic="any") as it:
            body = {**HELLO, "stream": True}
            live, kept = [await it.it.ask(body=body) for _ in range(2)]
            assert live.headers["cache-control"] == "no-cache"
            assert kept.raw.count(b"cache-control") == 1

    run(main())
