"""Plans made ready: pools kept, pools closed, nothing touched before the plan is adopted."""

import asyncio
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.canaried import canaried
from tests.gateway.rig import gateway, plan_of, run, target, until
from tests.gateway.upstream import Upstream

from tidegate.core import plugs
from tidegate.gateway.prepared import PlanProblem, Preparer
from tidegate.stores.memory_counters import memory_counters
from tidegate.text import tokens


def test_an_unchanged_replica_keeps_its_connections_and_a_gone_one_loses_them(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with Upstream() as up, Upstream() as gone:
            kept, lost = target(up.port, "kept"), target(gone.port, "lost")
            async with gateway(tmp_path, kept, lost) as it:
                for name in ("kept", "lost"):
                    await it.ask(body={"model": name, "messages": []})
                assert await it.obey(plan_of(kept, version=2))
                await it.ask(body={"model": "kept", "messages": []})
                assert up.connected == 1
                await until(lambda: not gone.connections)
                assert len(it.preparer.pools) == 1

    run(main())


def test_targets_at_one_address_share_its_connections_at_the_greater_width() -> None:
    async def main() -> None:
        it = Preparer({}, memory_counters)
        narrow, wide = target(9, "a", max_connections=2), target(9, "b", max_connections=7)
        it.adopt(await it.prepare(plan_of(narrow, wide)))
        [pool] = it.pools.values()
        assert pool.max_connections == 7

    asyncio.run(main())


def test_preparing_alone_changes_nothing() -> None:
    async def main() -> None:
        it = Preparer({}, memory_counters)
        it.adopt(await it.prepare(plan_of(target(9))))
        before = dict(it.pools)
        await it.prepare(plan_of(target(9, max_connections=1), target(8, "other"), version=2))
        assert it.pools == before
        assert [pool.max_connections for pool in it.pools.values()] == [512]

    asyncio.run(main())


def test_a_proxy_that_is_no_http_address_refuses_the_plan() -> None:
    async def main() -> None:
        there = target(9)
        away = replace(there, replicas=(replace(there.replicas[0], host="203.0.113.1"),))
        with pytest.raises(PlanProblem, match="egress proxy"):
            await Preparer({"HTTP_PROXY": "socks5://x"}, memory_counters).prepare(plan_of(away))

    asyncio.run(main())


def test_a_tokenizer_is_loaded_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    note = lambda it: loaded.append((it, threading.current_thread()))  # noqa: E731
    monkeypatch.setattr(tokens, "load", note)
    plan = plan_of(target(9, tokenizer="qwen3"), target(9, "plain"), target(9, "x", tokenizer="x"))
    asyncio.run(Preparer({}, memory_counters).prepare(plan))
    [(name, thread)] = loaded
    assert name == "qwen3" and thread is not threading.main_thread()


def test_a_tokenizer_that_does_not_load_refuses_the_plan_and_names_its_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(_: str) -> None:
        raise plugs.PlugError("text: vocabularies does not load: No module named 'quicktok'")

    monkeypatch.setattr(tokens, "load", fails)
    with pytest.raises(PlanProblem, match=r"target small: .*quicktok"):
        asyncio.run(
            Preparer({}, memory_counters).prepare(plan_of(target(9, "small", tokenizer="qwen3")))
        )


def test_what_a_release_needs_is_ready_before_anybody_gets_it_and_what_it_replaced_after() -> None:
    async def main() -> None:
        it = Preparer({}, memory_counters)
        stable, coming, warm = (target(port, name) for port, name in ((7, "a"), (8, "b"), (9, "c")))
        routes = canaried(stable, coming)
        routes["small"] = replace(routes["small"], kept_warm=(warm,))
        plan = await it.prepare(plan_of(stable, routes=routes))
        it.adopt(plan)
        assert sorted(replica.port for replica, _ in it.pools) == [7, 8, 9]
        ready = plan.routes["small"]
        assert ready.candidate is not None and ready.candidate.weight == 0
        assert [one.target.name for one in ready.targets()] == ["a"]
        assert [one.target.name for one in ready.reachable()] == ["a", "b", "c"]
        assert b"x-tidegate-arm: stable" in ready.heads["a"]
        assert b"x-tidegate-arm: canary" in ready.candidate.route.heads["b"]
        assert ready.candidate.route.budget is not ready.budget

    asyncio.run(main())
