"""Limits in front of a provider, end to end in one gateway: held before, settled once, refused by
name."""

from pathlib import Path

import pytest
from tests.gateway.limited import COST, budget, left, limit, limited, refused
from tests.gateway.rig import CHAT, HELLO, plan_of, run, target, until
from tests.gateway.upstream import Upstream, stalling, whole

from tidegate.core.plan import Limit
from tidegate.gateway import allowance

HOUR_S = 3600.0


def test_requests_of_a_key_are_counted_and_the_next_is_told_when(tmp_path: Path) -> None:
    async def main() -> None:
        rpm = limit("requests", 2, per_s=60.0, scope=("key",))
        async with Upstream(whole()) as up, limited(tmp_path, up, rpm) as it:
            first, second = await it.ask(), await it.ask()
            assert first.headers["x-ratelimit-limit-requests"] == "2"
            assert first.headers["x-ratelimit-remaining-requests"] == "1"
            assert second.headers["x-ratelimit-remaining-requests"] == "0"
            reply = await refused(it)
            assert (reply.status, reply.json["error"]["code"]) == (429, "rate_limit_exceeded")
            assert reply.headers["x-should-retry"] == "true"
            assert 0 < int(reply.headers["retry-after-ms"]) <= 30_000
            assert reply.json["error"]["limit"]["used"] == 2
            assert len(up.exchanges) == 2
            other = it.store.add()
            spared = await it.ask(headers={"authorization": f"Bearer {other}"})
            assert spared.status == 200

    run(main())


def test_a_hold_becomes_what_was_used(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            limit("tokens", 100_000, per_s=36_000.0, scope=("team",)),  # hardly one comes back
            limit("concurrency", 5, scope=("key",)),
            budget(1_000_000_000, scope=("team",)),
        )
        async with Upstream(whole()) as up, limited(tmp_path, up, *limits) as it:
            assert (await it.ask()).status == 200
            receipt = await it.receipt()
            used = {hold.limit: hold.used for hold in receipt.holds}
            assert used == {"the-tokens": 16, "the-concurrency": 0, "the-spend": COST}
            assert all(hold.amount >= (hold.used or 0) for hold in receipt.holds)
            assert left(it, "the-spend", "team-a") == 1_000_000_000 - COST
            assert left(it, "the-concurrency", receipt.key_id or "") == 5
            assert 100_000 - 17 <= left(it, "the-tokens", "team-a") <= 100_000 - 15

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_and_a_provider_that_fails_give_back(
    tmp_path: Path, stream: bool
) -> None:
    async def main() -> None:
        limits = (limit("concurrency", 1, scope=("key",)), budget(10**9))
        async with (
            Upstream(stalling(1 if stream else None)) as up,
            limited(tmp_path, up, *limits) as it,
        ):
            _, writer = await it.connect()
            writer.write(it.request(body={**HELLO, "stream": stream}))
            await up.arrived()
            assert (await refused(it)).json["error"]["code"] == "concurrency_limit_exceeded"
            writer.transport.abort()
            await until(lambda: len(it.receipts()) == 2)
            up.script = whole({"error": {"message": "no"}}, 500)
            assert (await it.ask()).status == 502
            before = left(it, "the-spend")
            assert (await it.ask()).status == 502
            assert left(it, "the-spend") == before
            up.script = whole()
            assert (await it.ask()).status == 200

    run(main())


def test_a_length_that_nobody_asked_for_makes_no_request_too_large(tmp_path: Path) -> None:
    async def main() -> None:
        tpm = limit("tokens", 300, per_s=60.0)
        async with Upstream(whole()) as up, limited(tmp_path, up, tpm) as it:
            assert (await it.ask()).status == 200
            assert 16 <= up.exchanges[0].json["max_tokens"] < 300
            reply = await refused(it, {**HELLO, "max_tokens": 301})
            assert reply.json["error"]["code"] == "larger_than_limit"

    run(main())


def test_the_limit_with_the_longest_wait_speaks(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            limit("requests", 1, per_s=1.0),
            Limit("slow", "requests", 1, per_s=HOUR_S),
        )
        async with Upstream(whole()) as up, limited(tmp_path, up, *limits) as it:
            await it.ask()
            reply = await refused(it)
            assert reply.json["error"]["limit"]["limit"] == "slow"
            assert int(reply.headers["retry-after"]) > 3000

    run(main())


def test_when_a_place_is_free_nobody_knows_so_what_has_a_longer_wait_speaks(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (limit("concurrency", 2), limit("requests", 2, per_s=HOUR_S))
        async with Upstream(stalling(None)) as up, limited(tmp_path, up, *limits) as it:
            writers = [(await it.connect())[1] for _ in range(2)]
            for writer in writers:
                writer.write(it.request(body=HELLO))
            await up.arrived(2)
            usage = (await it.ask("/v1/usage", method="GET")).json["data"]
            resets = {row["limit"]: row["resets_in_s"] for row in usage}
            assert resets["the-concurrency"] is None
            assert 3000 < resets["the-requests"] <= HOUR_S
            reply = await refused(it)
            assert reply.json["error"]["limit"]["limit"] == "the-requests"
            assert int(reply.headers["retry-after"]) > 1700
            for writer in writers:
                writer.transport.abort()
            await until(lambda: len(it.receipts()) == 3)

    run(main())


def test_limits_of_a_target_are_held_too(tmp_path: Path) -> None:
    async def main() -> None:
        per_model = limit("requests", 1, per_s=60.0, scope=("model",))
        async with Upstream(whole()) as up, limited(tmp_path, up, per_model) as it:
            assert (await it.ask()).status == 200
            reply = await refused(it)
            assert reply.json["error"]["limit"]["scope"] == "model served-model"

    run(main())


def test_a_long_prompt_is_counted_before_it_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        cap = limit("max_input_tokens", 50)
        body = {**HELLO, "messages": [{"role": "user", "content": "hello there " * 10}]}
        async with (
            Upstream(whole()) as up,
            limited(tmp_path, up, cap, tokenizer="o200k") as it,
        ):
            assert (await it.ask(body=body)).status == 200
            body["messages"][0]["content"] *= 5
            reply = await refused(it, body)
            assert (reply.status, reply.json["error"]["code"]) == (400, "input_too_long")

    run(main())


def test_a_caller_sees_what_is_left(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            limit("requests", 10, per_s=60.0, scope=("key",)),
            budget(1_500_000_000, scope=("team",)),
            Limit("others", "requests", 10, per_s=60.0, only=(("team", "team-b"),)),
        )
        async with Upstream(whole()) as up, limited(tmp_path, up, *limits) as it:
            await it.ask()
            reply = await it.ask("/v1/usage", method="GET")
            rows = {row["limit"]: row for row in reply.json["data"]}
            assert set(rows) == {"the-requests", "the-spend"}
            assert rows["the-spend"]["used"] == "0.000021000"
            assert rows["the-spend"]["remaining"] == "1.499979000"
            assert rows["the-spend"]["scope"] == "team team-a"
            assert rows["the-requests"]["unit"] == "requests"
            nobody = await it.ask("/v1/usage", method="GET", headers={})
            assert nobody.code == "missing_api_key"

    run(main())


def test_usage_tells_what_holds_on_each_route_of_the_key_each_counter_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        limits = tuple(
            Limit(name, "requests", 10, scope, per_s=60.0, only=only)
            for name, scope, only in (
                ("each-route", ("key", "route"), ()),
                ("one-route", ("key",), (("route", "small"),)),
                ("provider", ("provider",), ()),
                ("model", (), (("model", "served-model"),)),
                ("other", (), (("target", "elsewhere"),)),
                ("forbidden", (), (("route", "third"),)),
                ("everywhere", ("key",), ()),
            )
        )
        async with Upstream(whole()) as up, limited(tmp_path, up, *limits) as it:
            targets = [target(up.port, name) for name in ("small", "second", "third")]
            assert await it.obey(plan_of(*targets, version=2, limits=limits))
            key = {"authorization": f"Bearer {it.store.add(routes=('small', 'second'))}"}
            assert (await it.ask(headers=key)).status == 200
            told = (await it.ask("/v1/usage", method="GET", headers=key)).json
            found = {(row["limit"], row["scope"].partition(", ")[2]) for row in told["data"]}
            assert len(told["data"]) == len(found) == 6
            used = {row["limit"]: row["used"] for row in told["data"] if row["used"]}
            assert used == dict.fromkeys(set(used), 1)
            assert set(used) == {"everywhere", "each-route", "one-route", "provider", "model"}
            assert not told["has_more"]
            monkeypatch.setattr(allowance, "MAX_SHOWN", 2)
            told = (await it.ask("/v1/usage", method="GET", headers=key)).json
            assert [row["limit"] for row in told["data"]] == ["everywhere", "each-route"]
            assert told["has_more"]

    run(main())


def test_no_limit_costs_nothing_and_holds_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, limited(tmp_path, up) as it:
            reply = await it.ask(CHAT)
            assert not any(name.startswith("x-ratelimit") for name in reply.headers)
            assert (await it.receipt()).holds == []

    run(main())
