"""One probe on real sockets: it goes a caller's way, and is charged to nobody."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.house import house
from tests.gateway.rig import HELLO, Gateway, gateway, plan_of, run, target
from tests.gateway.upstream import STREAM_HEAD, Upstream, cutting, stalling, streaming, whole

from tidegate.core.plan import Limit
from tidegate.core.probe import Expect, Probe
from tidegate.core.receipt import Receipt
from tidegate.core.secret import SecretRef
from tidegate.gateway.probe import probe

ENVIRON = {"UP_KEY": "sk-hush"}
KEYED = SecretRef(env="UP_KEY")


async def probed(it: Gateway) -> Receipt:
    """One probe of the plan's only target; its receipt as it was journalled."""
    plan = it.world.plan
    assert plan is not None
    [asked] = plan.probes.values()
    before = len(it.receipts())
    receipt = await probe(asked, asked.target.replicas[0], it.world)
    journalled = await it.receipt(before + 1)
    assert journalled.id == receipt.id
    assert not it.world.calls and not it.world.relays
    return journalled


def probing(up: Upstream, asked: Probe, **fields: Any) -> Any:
    small = target(up.port, **fields)
    return plan_of(small, version=2, probes={"small": asked})


def test_it_goes_the_way_of_a_request_and_has_a_receipt_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(streaming()) as up, gateway(tmp_path, environ=ENVIRON) as it:
            assert await it.obey(probing(up, Probe(system="be short"), credential=KEYED))
            receipt = await probed(it)
            sent = up.exchanges[0]
            assert sent.path == b"/v1/chat/completions"
            assert sent.header(b"authorization") == b"Bearer sk-hush"
            assert sent.header(b"x-request-id") == receipt.id.encode()
            assert sent.json["model"] == "served-model"
            assert sent.json["max_tokens"] == 16
            assert [one["role"] for one in sent.json["messages"]] == ["system", "user"]
            assert (receipt.purpose, receipt.key_id, receipt.team) == ("probe", None, None)
            assert (receipt.status, receipt.error_code, receipt.target) == (200, None, "small")
            assert receipt.cost_nanousd == 11 * 1_000 + 5 * 2_000
            assert receipt.ttft_s is not None and receipt.is_probe

    run(main())


def test_an_embedding_is_asked_for_where_the_plan_says_so(tmp_path: Path) -> None:
    answer = {"data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 3}}

    async def main() -> None:
        async with Upstream(whole(answer)) as up, gateway(tmp_path) as it:
            assert await it.obey(probing(up, Probe(endpoint="embeddings", prompt="hi")))
            receipt = await probed(it)
            assert up.exchanges[0].path == b"/v1/embeddings"
            assert up.exchanges[0].json == {"model": "served-model", "input": "hi"}
            assert (receipt.endpoint, receipt.error_code) == ("embeddings", None)
            assert receipt.cost_nanousd == 3 * 1_000

    run(main())


@pytest.mark.parametrize(
    ("script", "expect", "code", "failure"),
    [
        (whole(b"{}", 500), None, "upstream_error", "unavailable"),
        (cutting(b""), None, "upstream_unreachable", "unavailable"),
        (streaming(0), None, "upstream_invalid_answer", "malformed"),
        (streaming(), Expect(contains="ready"), "upstream_invalid_answer", "malformed"),
        (streaming(), Expect(json=True), "upstream_invalid_answer", "malformed"),
        (streaming(), Expect(max_length=3), "upstream_invalid_answer", "malformed"),
        (streaming(), Expect(contains="T4 "), None, None),
        (streaming(), Expect(regex="^t0 t1"), None, None),
    ],
)
def test_what_comes_of_it_is_on_its_receipt(
    tmp_path: Path, script: Any, expect: Expect | None, code: str | None, failure: str | None
) -> None:
    async def main() -> None:
        async with Upstream(script) as up, gateway(tmp_path) as it:
            assert await it.obey(probing(up, Probe(expect=expect)))
            receipt = await probed(it)
            assert (receipt.error_code, receipt.attempts[-1].failure) == (code, failure)
            plan = it.world.plan
            assert plan is not None
            breaker = plan.probes["small"].target.replicas[0].breaker
            assert breaker.failures == (code is not None)

    run(main())


@pytest.mark.parametrize("status", [400, 429])
def test_a_provider_that_says_no_to_it_is_there(tmp_path: Path, status: int) -> None:
    async def main() -> None:
        async with Upstream(whole(b"{}", status)) as up, gateway(tmp_path) as it:
            assert await it.obey(probing(up, Probe()))
            assert (await probed(it)).error_code is not None
            plan = it.world.plan
            assert plan is not None
            assert plan.probes["small"].target.replicas[0].breaker.failures == 0

    run(main())


def test_the_whole_answer_must_come_in_its_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(2)) as up, gateway(tmp_path) as it:
            assert await it.obey(probing(up, Probe(timeout_s=7.0)))
            plan = it.world.plan
            assert plan is not None
            [asked] = plan.probes.values()
            deadlines = asked.target.target.deadlines
            assert (deadlines.connect_s, deadlines.first_token_s) == (2.0, 7.0)
            assert (deadlines.gap_s, deadlines.total_s) == (7.0, 7.0)
            assert plan.routes["small"].target.target.deadlines.total_s == 600.0

    run(main())


def test_an_answer_cut_at_its_bound_is_a_good_one_where_nothing_is_asked_of_it(
    tmp_path: Path,
) -> None:
    async def script(exchange: Any) -> None:
        exchange.send(STREAM_HEAD)
        exchange.end(finish="length")

    async def main() -> None:
        async with Upstream(script) as up, gateway(tmp_path) as it:
            assert await it.obey(probing(up, Probe()))
            assert (await probed(it)).error_code is None
            assert await it.obey(
                plan_of(
                    target(up.port), version=3, probes={"small": Probe(expect=Expect(contains="x"))}
                )
            )
            assert (await probed(it)).validity == "empty"

    run(main())


def test_no_limit_and_no_budget_counts_it_then_or_after_a_start(tmp_path: Path) -> None:
    budget = Limit("all", "spend", 10**9, unit="month")
    calls = Limit("calls", "requests", 1, per_s=60.0)

    async def main() -> None:
        async with house(tmp_path, streaming()) as made:
            plan = plan_of(
                target(made.up.port),
                version=2,
                limits=(budget, calls),
                probes={"small": Probe()},
            )
            assert await made.it.obey(plan)
            receipt = await probed(made.it)
            assert receipt.cost_nanousd and receipt.holds == []
            made.restart()
            reply = await made.it.ask(body={**HELLO, "stream": True})
            assert reply.status == 200, "the only call of this minute"
            assert made.used("all", "") == receipt.cost_nanousd, "the caller's, as dear"
            payload = msgspec.msgpack.encode(receipt)
            made.ledger.write([(receipt, payload)], [])
            [amounts] = await made.past.amounts([(_named(made.it, "all"), "")])
            assert sum(amount for _, amount in amounts) == receipt.cost_nanousd

    run(main())


def test_a_limit_that_begins_meanwhile_does_not_hold_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(0)) as up, gateway(tmp_path) as it:
            assert await it.obey(probing(up, Probe()))
            plan = it.world.plan
            assert plan is not None
            [asked] = plan.probes.values()
            task = asyncio.create_task(probe(asked, asked.target.replicas[0], it.world))
            await up.arrived()
            assert len(it.world.calls) == 1
            assert it.world.served() == []
            task.cancel()
            assert (await it.receipt()).error_code == "draining"

    run(main())


def _named(it: Gateway, name: str) -> Any:
    plan = it.world.plan
    assert plan is not None
    return next(one for one in plan.limits.every() if one.limit.name == name)
