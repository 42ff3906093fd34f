"""What makes no sense is refused clearly or held to the same limits: nothing fails, nothing is
overspent, whatever callers write and clocks do."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.limited import COST, budget, left, limit, limited
from tests.gateway.rig import CHAT, HELLO, gateway, run, target
from tests.gateway.test_metered_request import field, file
from tests.gateway.upstream import Exchange, Upstream, whole

from tidegate.core import clock
from tidegate.core.plan import Limit
from tidegate.core.price import Price, Rate
from tidegate.gateway.entry import CHAT as CHATS
from tidegate.gateway.entry import dialects, entries
from tidegate.gateway.metered_request import FORMS

USD = 10**9
LIMITS = (
    limit("tokens", 1_000_000, per_s=60.0, scope=("team",)),
    limit("concurrency", 5, scope=("key",)),
    budget(USD, scope=("team",)),
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**30}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_completion_tokens": -(10**18)}, "max_completion_tokens"),
        ({"n": 10**9}, "n"),
        ({"n": 0}, "n"),
        ({"best_of": 10**9}, "best_of"),
        ({"n": -1}, "n"),
    ],
)
def test_a_number_that_nobody_can_mean_is_refused_and_holds_nothing(
    tmp_path: Path, members: dict[str, Any], param: str, stream: bool
) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, limited(tmp_path, up, *LIMITS) as it:
            reply = await it.ask(body={**HELLO, **members, "stream": stream})
            assert (reply.status, reply.json["error"]["param"]) == (400, param)
            assert up.exchanges == []
            assert left(it, "the-spend", "team-a") == USD

    run(main())


def test_a_priority_that_is_none_is_refused_and_holds_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, limited(tmp_path, up, *LIMITS) as it:
            headers = {"authorization": f"Bearer {it.key}", "x-tidegate-priority": "urgent"}
            reply = await it.ask(headers=headers)
            assert (reply.status, reply.json["error"]["param"]) == (400, "x-tidegate-priority")
            assert "interactive, standard, batch" in reply.json["error"]["message"]
            assert up.exchanges == []

    run(main())


@pytest.mark.parametrize("on_excess", ["refuse", "alert"])
def test_the_most_that_can_be_asked_for_at_the_dearest_price_overflows_nothing(
    tmp_path: Path, on_excess: Any
) -> None:
    """1.28e10 tokens at a dollar each are more nano-dollars than 64 bits hold."""

    async def main() -> None:
        dearest = Price("plan:x", "plan", input=Rate(10**15), output=Rate(10**15))
        money = budget(10**18, on_excess=on_excess)

        async def cut(exchange: Exchange) -> None:
            exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{")
            exchange.transport.close()

        async with Upstream(cut) as up, limited(tmp_path, up, money, price=dearest) as it:
            reply = await it.ask(body={**HELLO, "max_tokens": 100_000_000, "n": 128})
            assert reply.status == 502
            assert 0 < ((await it.receipt()).most_nanousd or 0) < 2**63
            sent = up.exchanges[0].json["max_tokens"]
            if on_excess == "refuse":  # the answer is as long as the budget can pay
                assert 0 < sent * 128 * 10**9 <= 10**18
                assert 0 <= left(it, "the-spend") < 10**18
            else:
                assert sent == 100_000_000

    run(main())


def test_a_forged_session_id_uses_up_nobody_else_s_session(tmp_path: Path) -> None:
    async def main() -> None:
        mine = Limit("turns", "turns", 2, ("session", "team"))
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(mine,)) as it,
        ):
            other = it.store.add(team="team-b")
            forged = {"authorization": f"Bearer {other}", "x-tidegate-session-id": "s"}
            own = {**forged, "authorization": f"Bearer {it.key}"}
            statuses = [(await it.ask(headers=forged)).status for _ in range(3)]
            assert statuses == [200, 200, 429]
            assert (await it.ask(headers=own)).status == 200
            assert [receipt.session_id for receipt in it.receipts()] == ["s"] * 4

    run(main())


@pytest.mark.parametrize("session", ["", "x" * 10_000, "\x00", "a\x1fb", "é", "user-alice"])
def test_no_session_id_gets_past_the_limits_of_its_key(tmp_path: Path, session: str) -> None:
    async def main() -> None:
        limits = (
            limit("requests", 2, per_s=60.0, scope=("key",)),
            Limit("turns", "turns", 100, ("session", "team")),
        )
        async with Upstream(whole()) as up, limited(tmp_path, up, *limits) as it:
            body = {**HELLO, "metadata": {"session_id": session}}
            statuses = [(await it.ask(body=body)).status for _ in range(3)]
            assert statuses == [200, 200, 429]

    run(main())


@pytest.mark.parametrize(
    "path", [path for path, entry in entries(dialects()).items() if entry.counted is None]
)
def test_no_path_goes_past_a_spent_budget(tmp_path: Path, path: bytes) -> None:
    body: Any = {"model": "small", "messages": [], "prompt": "hi", "input": "hi", "max_tokens": 16}
    body |= {"query": "hi", "documents": ["hi"]}
    headers = None
    if entries({}).get(path, CHATS).endpoint in FORMS:
        brought = file() if b"audio" in path else file("image")
        body = field("model", "small") + field("prompt", "hi") + brought + b"--xx--\r\n"
        headers = {"content-type": "multipart/form-data; boundary=xx"}

    async def main() -> None:
        price = Price("x", "plan", Rate(USD), output=Rate(USD), audio_input=Rate(USD))
        async with Upstream(whole()) as up, limited(tmp_path, up, budget(1), price=price) as it:
            key = {"authorization": f"Bearer {it.key}"}
            reply = await it.ask(path.decode(), body, headers and {**headers, **key})
            assert reply.status == 429
            assert b"budget" in reply.body
            assert up.exchanges == []

    run(main())


class Hand:
    """The wall clock, where a test puts it; the monotonic one runs on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
        self.now_s = at.timestamp()
        monkeypatch.setattr(clock, "wall_s", lambda: self.now_s)


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_clock_that_steps_an_hour_frees_no_money_and_refuses_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    """With a request in flight, twice: there and back."""

    async def main() -> None:
        hand = Hand(monkeypatch, datetime(2026, 11, 18, 12, 30, tzinfo=UTC))
        gate = asyncio.Event()
        answer = whole()

        async def held(exchange: Exchange) -> None:
            await gate.wait()
            await answer(exchange)

        limits = (
            *LIMITS,
            Limit("rolling", "spend", USD, ("team",), per_s=1800.0),
            limit("requests", 100, per_s=60.0, scope=("key",)),
        )
        async with Upstream(held) as up, limited(tmp_path, up, *limits) as it:
            flying = [asyncio.create_task(it.ask())]
            await up.arrived()
            hand.now_s += step_s
            flying.append(asyncio.create_task(it.ask()))
            await up.arrived(2)
            hand.now_s -= step_s
            gate.set()
            assert [(await one).status for one in flying] == [200, 200]
            assert (await it.ask()).status == 200
            for name in ("the-spend", "rolling"):
                assert left(it, name, "team-a") == USD - 3 * COST
            assert left(it, "the-concurrency", it.receipts()[0].key_id or "") == 5

    run(main())


@pytest.mark.parametrize(
    ("unit", "zone", "before"),
    [
        ("month", "UTC", datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)),
        ("month", "Asia/Tokyo", datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC)),
        ("month", "UTC", datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("day", "Europe/Berlin", datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)),  # 23 hours long
        ("day", "Europe/Berlin", datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)),  # 25
        ("day", "America/Sao_Paulo", datetime(2018, 11, 4, 2, 59, 59, tzinfo=UTC)),
        ("hour", "Australia/Lord_Howe", datetime(2026, 4, 4, 14, 59, 59, tzinfo=UTC)),
    ],
)
def test_what_is_in_flight_as_a_period_ends_is_charged_to_the_one_it_began_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unit: Any, zone: str, before: datetime
) -> None:
    """Once; a clock that steps back into the old period and on again begins neither anew."""

    async def main() -> None:
        hand = Hand(monkeypatch, before)
        gate = asyncio.Event()
        answer = whole()

        async def held(exchange: Exchange) -> None:
            await gate.wait()
            await answer(exchange)

        money = Limit("money", "spend", USD, unit=unit, time_zone=zone)
        async with Upstream(held) as up, limited(tmp_path, up, money) as it:
            flying = asyncio.create_task(it.ask())
            await up.arrived()
            assert left(it, "money") < USD
            hand.now_s += 2.0
            assert left(it, "money") == USD
            gate.set()
            assert (await flying).status == 200
            assert left(it, "money") == USD
            for step_s in (0.0, -2.0, 2.0):
                hand.now_s += step_s
                assert (await it.ask()).status == 200
            assert left(it, "money") == USD - 3 * COST

    run(main())


def test_huge_bodies_of_nothing_are_bounded_by_their_bytes(tmp_path: Path) -> None:
    async def main() -> None:
        cap = limit("max_input_tokens", 1000)
        body = {**HELLO, "messages": [{"role": "user", "content": " " * 100_000}]}
        async with Upstream(whole()) as up, limited(tmp_path, up, cap) as it:
            reply = await it.ask(CHAT, body=body)
            assert (reply.status, reply.json["error"]["code"]) == (400, "input_too_long")
            assert reply.json["error"]["limit"]["allowed"] == 1000

    run(main())
