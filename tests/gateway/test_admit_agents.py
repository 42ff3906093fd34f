"""Limits against agents that run on, and bounds that a provider has to be told."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.rig import HELLO, Gateway, gateway, plan_of, run, target
from tests.gateway.upstream import Upstream, whole

from tidegate.core.plan import Limit


async def say(it: Gateway, text: str, session: str = "s-1") -> int:
    body = {
        **HELLO,
        "messages": [{"role": "user", "content": text}],
        "metadata": {"session_id": session},
    }
    return (await it.ask(body=body)).status


def sent(up: Upstream) -> dict[str, Any]:
    """The body of the newest request that came to the provider."""
    body: dict[str, Any] = msgspec.json.decode(up.exchanges[-1].body)
    return body


def test_an_agent_that_goes_in_circles_is_stopped(tmp_path: Path) -> None:
    async def main() -> None:
        circles = Limit("circles", "repeats", 2, ("prompt", "session"))
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(circles,)) as it,
        ):
            assert await say(it, "Try again (1)") == 200
            assert await say(it, "try again (2)") == 200
            assert await say(it, "something else") == 200
            assert await say(it, "Try again (3)") == 429
            receipt = it.receipts()[-1]
            assert (receipt.error_code, receipt.refused_by) == ("turn_limit_exceeded", "circles")
            assert await say(it, "Try again (3)", session="s-2") == 200

    run(main())


def test_prompts_are_read_only_where_a_limit_compares_them(tmp_path: Path) -> None:
    async def main() -> None:
        turns = Limit("turns", "turns", 10, ("session",))
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(turns,)) as it,
        ):
            assert await say(it, "hello") == 200
            assert it.receipts()[-1].prompt_fingerprint is None

    run(main())


def test_who_asks_for_no_ceiling_is_bound_at_the_provider(tmp_path: Path) -> None:
    async def main() -> None:
        short = Limit("short", "max_output_tokens", 100_000)
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(short,)) as it,
        ):
            assert (await it.ask()).status == 200
            assert sent(up)["max_tokens"] == 4096
            assert (await it.ask(body={**HELLO, "max_tokens": 7})).status == 200
            assert sent(up)["max_tokens"] == 7

    run(main())


def test_a_soft_budget_serves_what_has_no_price(tmp_path: Path) -> None:
    async def main() -> None:
        soft = Limit("soft", "spend", 100, unit="month", on_excess="alert")
        unpriced = {"price": None, "unpriced_allowed": True}
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port, **unpriced), limits=(soft,)) as it,
        ):
            assert (await it.ask()).status == 200

    run(main())


def test_a_session_is_told_by_its_user_where_nothing_else_tells_it(tmp_path: Path) -> None:
    async def main() -> None:
        turns = Limit("turns", "turns", 1, ("session",))
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(turns,)) as it,
        ):
            assert (await it.ask(body={**HELLO, "user": "alice"})).status == 200
            other = [{"role": "user", "content": "another conversation"}]
            reply = await it.ask(body={**HELLO, "user": "alice", "messages": other})
            assert reply.json["error"]["limit"]["scope"] == "session user-alice"
            assert (await it.ask(body={**HELLO, "user": "bob"})).status == 200

    run(main())


def test_conversations_are_told_apart_for_the_alert_that_nobody_declares(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask()
            await it.ask(body={**HELLO, "user": "alice"})
            await it.obey(plan_of(target(up.port), version=2, session_alert_tokens=0))
            await it.ask()
            first, named, off = it.receipts()
            assert first.conversation is not None
            assert (named.conversation, named.session) == (None, "user-alice")
            assert off.conversation is None

    run(main())


def test_a_session_is_told_by_how_its_conversation_begins(tmp_path: Path) -> None:
    """Without an id of its own; passing a limit that only alerts is noted and refuses nothing."""

    async def main() -> None:
        window = Limit("window", "session", 30, scope=("session",), per_s=300.0, on_excess="alert")
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(window,)) as it,
        ):
            first = {"role": "user", "content": "plan a trip"}
            for turns in range(3):
                more = [{"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]
                body = {**HELLO, "messages": [first, *more * turns]}
                assert (await it.ask(body=body)).status == 200
            await it.ask(body={**HELLO, "messages": [{"role": "user", "content": "another"}]})
            one, two, three, other = it.receipts()
            assert one.session_id == two.session_id == three.session_id
            assert other.session_id != one.session_id
            assert [r.over_limits for r in (one, two, other)] == [[], ["window"], []]

    run(main())


def test_a_crowd_of_one_session_is_let_in_as_often_as_it_may(tmp_path: Path) -> None:
    async def main() -> None:
        turns = Limit("turns", "turns", 7, ("session",))
        tokens = Limit("tokens", "session", 50_000, ("session",))
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(turns, tokens)) as it,
        ):
            statuses = await asyncio.gather(*(say(it, f"step {n}") for n in range(60)))
            assert sorted(statuses) == [200] * 7 + [429] * 53
            assert len(up.exchanges) == 7

    run(main())


def test_calls_of_one_trace_are_counted(tmp_path: Path) -> None:
    async def main() -> None:
        turns = Limit("turns", "turns", 1, ("trace",))
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(turns,)) as it,
        ):
            trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
            headers = {"authorization": f"Bearer {it.key}", "traceparent": trace}
            assert (await it.ask(headers=headers)).status == 200
            reply = await it.ask(headers=headers)
            assert reply.json["error"]["code"] == "turn_limit_exceeded"
            assert reply.headers["x-should-retry"] == "false"
            headers["traceparent"] = trace.replace("ab", "ef")
            assert (await it.ask(headers=headers)).status == 200

    run(main())


def test_rounds_of_tool_calls_have_an_end(tmp_path: Path) -> None:
    async def main() -> None:
        depth = Limit("depth", "tool_depth", 1)
        call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
        result = {"role": "tool", "tool_call_id": "1", "content": "ok"}
        user = {"role": "user", "content": "go"}
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), limits=(depth,)) as it,
        ):
            deep = {**HELLO, "messages": [user, call, result, call, result]}
            reply = await it.ask(body=deep)
            assert (reply.status, reply.json["error"]["param"]) == (429, "messages")
            assert reply.json["error"]["limit"]["used"] == 2
            deep["messages"] = [*deep["messages"], user, call, result]
            assert (await it.ask(body=deep)).status == 200

    run(main())


@pytest.mark.parametrize("member", ["max_tokens", "max_completion_tokens"])
def test_who_asks_for_more_is_cut_to_the_cap_or_refused(tmp_path: Path, member: str) -> None:
    async def main() -> None:
        cap = Limit("cap", "max_output_tokens", 50, on_excess="cap")
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port), limits=(cap,)) as it:
            assert (await it.ask(body={**HELLO, member: 500})).status == 200
            assert sent(up)[member] == 50
            await it.obey(
                plan_of(target(up.port), version=2, limits=(replace(cap, on_excess="refuse"),))
            )
            reply = await it.ask(body={**HELLO, member: 500})
            assert (reply.status, reply.json["error"]["code"]) == (400, "output_too_long")
            assert len(up.exchanges) == 1

    run(main())
