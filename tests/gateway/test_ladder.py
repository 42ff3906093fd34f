"""Each rung of a ladder reached by a fault drill: simulated engines fail, over real sockets."""

import asyncio

import msgspec
import pytest
from tests.gateway.guarded import address, judging
from tests.gateway.laddered import CHAT, MESSAGES, RESPONSES, SORRY, drilled
from tests.gateway.rig import run
from tests.gateway.upstream import Upstream

from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.guardrail import RouteGuardrails
from tidegate.core.ladder import History, Rung, When
from tidegate.core.plan import Contract
from tidegate.gateway import ladder
from tidegate.gateway.overlay import put_in_force

SMALL = Rung("small", when=When(("unavailable", "rate_limited")), target="mini")
ASK = {"temperature": 0, "seed": 1}
JSON_OR_FAIL = Contract(json=True, on_violation="fail")


def led(receipt):
    return receipt.rung, receipt.rung_kind, receipt.rung_reason


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("fault", "reason", "failure"),
    [
        ("status:503", "unavailable", "unavailable"),
        ("drop", "unavailable", "unavailable"),
        ("status:429", "rate_limited", "rate_limited"),
    ],
)
def test_a_smaller_model_serves_where_the_route_is_down(tmp_path, fault, reason, failure, stream):
    async def main():
        async with drilled(tmp_path, SMALL, SORRY, faults=(fault,)) as it:
            reply, receipt = await it.served(stream=stream)
            assert reply.status == 200, reply.raw
            assert reply.headers["x-tidegate-rung"] == "small"
            assert reply.headers["x-tidegate-target"] == "mini"
            assert led(receipt) == ("small", "model", reason)
            assert receipt.target == "mini"
            assert [one.failure for one in receipt.attempts] == [failure, None]

    run(main())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_where_the_route_serves_no_ladder_is_looked_at_and_nothing_told(
    tmp_path, monkeypatch, stream
):
    for name in ("climb", "_is_served"):
        monkeypatch.delattr(ladder, name)
    slow = Rung("fast", when=When(slow_answer_s=9.0, slow_first_token_s=9.0), target="mini")

    async def main():
        async with drilled(tmp_path, slow, SMALL, SORRY) as it:
            reply, receipt = await it.served(stream=stream)
            assert (reply.status, led(receipt)) == (200, (None, None, None))
            assert "x-tidegate-rung" not in reply.headers

    run(main())


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_apology_is_an_answer_of_its_callers_own_wire(tmp_path, path, stream):
    async def main():
        faults = ("drop",)
        async with drilled(tmp_path, SMALL, SORRY, faults=faults, mini_faults=faults) as it:
            reply, receipt = await it.served(path, stream=stream)
            assert reply.status == 200, reply.raw
            assert reply.headers["x-tidegate-rung"] == "sorry"
            assert reply.headers["cache-control"] == "no-store"
            assert b"Sorry." in reply.body
            assert led(receipt) == ("sorry", "apology", "unavailable")
            assert (receipt.cost_nanousd, receipt.finish_reason) == (0, "stop")
            assert receipt.error_code is None
            assert [one.target for one in receipt.attempts] == ["big", "mini"]

    run(main())


def test_a_shorter_prompt_serves_what_was_too_long(tmp_path):
    rung = Rung("short-prompt", when=When(("overflow",)), history=History(keep_last=1))
    turns = [{"role": "system", "content": "Be kind."}]
    for _ in range(40):
        turns += [
            {"role": "user", "content": "word " * 60},
            {"role": "assistant", "content": "word " * 60},
        ]
    turns.append({"role": "user", "content": "And now?"})

    async def main():
        async with drilled(tmp_path, rung, big={"context_tokens": 400}) as it:
            reply, receipt = await it.served(messages=turns, max_tokens=20)
            assert reply.status == 200, reply.raw
            assert led(receipt) == ("short-prompt", "model", "overflow")
            [entry] = it.asked(it.big)
            assert entry.prompt_tokens < 40

    run(main())


def test_a_shorter_answer(tmp_path):
    rung = Rung("short", when=When(("unavailable",)), max_output_tokens=3, target="mini")

    async def main():
        async with drilled(tmp_path, rung, faults=("status:500",)) as it:
            reply, receipt = await it.served(max_tokens=200)
            assert reply.json["usage"]["completion_tokens"] == 3
            assert led(receipt) == ("short", "model", "unavailable")
            assert receipt.finish_reason == "length"

    run(main())


def test_a_narrower_scope_stands_in_the_routes_own_place(tmp_path):
    rung = Rung("narrow", when=When(("unavailable",)), target="mini", system_prompt="Only hours.")

    async def main():
        fields = {"system_prompt": "You are a very long prompt " * 20}
        async with drilled(tmp_path, rung, faults=("status:500",), **fields) as it:
            _, receipt = await it.served()
            assert led(receipt) == ("narrow", "model", "unavailable")
            [entry] = it.asked(it.mini)
            assert entry.prompt_tokens < 20

    run(main())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_is_slow_is_left_for_a_faster_one(tmp_path, stream):
    when = When(slow_first_token_s=0.4, slow_answer_s=0.4)
    rung = Rung("fast", when=when, target="mini")

    async def main():
        async with drilled(tmp_path, rung, faults=("stall:20",)) as it:
            reply, receipt = await it.served(stream=stream)
            assert reply.status == 200, reply.raw
            reason = "slow_first_token" if stream else "slow_answer"
            assert led(receipt) == ("fast", "model", reason)
            assert receipt.total_s < 5
            assert [one.failure for one in receipt.attempts] == ["timeout", None]
            [entry] = it.asked(it.big)
            assert entry.closed_by == "client"
            breaker = it.it.world.plan.routes["small"].target.replicas[0].breaker
            assert not breaker.failures  # slower than its ladder's patience is no failure

    run(main())


def test_a_stream_that_has_begun_is_nobody_elses(tmp_path):
    rung = Rung("fast", when=When(slow_first_token_s=0.2), target="mini")

    async def main():
        async with drilled(tmp_path, rung, SORRY, faults=("cut after=3",)) as it:
            reply, receipt = await it.served(stream=True)
            assert receipt.interrupted
            assert receipt.rung is None
            assert b"Sorry." not in reply.body
            assert not it.asked(it.mini)

    run(main())


@pytest.mark.parametrize(
    ("fault", "reason"), [("malformed", "malformed"), ("ok_error", "unavailable")]
)
def test_an_answer_that_is_none(tmp_path, fault, reason):
    async def main():
        async with drilled(tmp_path, SORRY, faults=(fault,)) as it:
            _, receipt = await it.served()
            assert led(receipt) == ("sorry", "apology", reason)

    run(main())


def test_a_bad_answer_is_asked_for_by_another_prompt(tmp_path):
    rung = Rung("strict", when=When(quality=("invalid",)), system_prompt="Write JSON alone.")

    async def main():
        async with drilled(tmp_path, rung, SORRY, contract=JSON_OR_FAIL) as it:
            reply, receipt = await it.served()
            first, second = it.asked(it.big)
            assert second.prompt_tokens > first.prompt_tokens
            assert receipt.rung_reason == "malformed"  # the second was no better
            assert led(receipt)[:2] == ("sorry", "apology")
            assert [one.validity for one in receipt.attempts] == ["malformed", "malformed"]
            assert reply.status == 200
            asked = {"response_format": {"type": "json_object"}}
            _, well = await it.served(**asked)
            assert led(well) == (None, None, None)

    run(main())


def test_an_answer_that_was_cut_short(tmp_path):
    rung = Rung("brief", when=When(quality=("truncated",)), system_prompt="In a word.")

    async def main():
        async with drilled(tmp_path, rung) as it:
            reply, receipt = await it.served(max_tokens=2)
            assert led(receipt) == ("brief", "model", "truncated")
            assert len(receipt.attempts) == 2
            assert reply.status == 200

    run(main())


def test_a_kept_answer_even_if_stale(tmp_path):
    rung = Rung("old", "stale", When(("unavailable",)), stale_s=600.0)
    cache = RouteCache(ExactCache(ttl_s=0.01, stale_rung_s=600.0))

    async def main():
        async with drilled(tmp_path, rung, SORRY, faults=("status:503 skip=1",), cache=cache) as it:
            first, kept = await it.served(**ASK)
            assert kept.cache == "miss"
            await asyncio.sleep(0.02)
            reply, receipt = await it.served(**ASK)
            assert led(receipt) == ("old", "stale", "unavailable")
            assert reply.body == first.body
            assert reply.headers["x-tidegate-rung"] == "old"
            assert (receipt.cache, receipt.cost_nanousd) == ("stale", 0)
            # Of another question none was kept: the next rung serves.
            _, other = await it.served(**ASK, messages=[{"role": "user", "content": "other"}])
            assert led(other) == ("sorry", "apology", "unavailable")

    run(main())


def test_only_batch_work(tmp_path):
    rung = Rung("later", "batch_only", When(("unavailable",)))

    async def main():
        async with drilled(tmp_path, rung, faults=("status:503",)) as it:
            reply, receipt = await it.served()
            assert (reply.status, reply.code) == (503, "batch_only")
            assert "/v1/batches" in reply.json["error"]["message"]
            assert int(reply.headers["retry-after"]) >= 1
            assert reply.headers["x-tidegate-rung"] == "later"
            assert led(receipt) == ("later", "batch_only", "unavailable")
            assert receipt.error_code == "batch_only"
            base = it.it.world.plan
            put_in_force(it.it.world, base, {"ladder_floor": {"small": 1.0}})
            it.big.sim.script.replace([])
            assert (await it.ask()).code == "batch_only"
            key = it.it.store.add(priority="batch")
            batch = {"authorization": f"Bearer {key}"}
            assert (await it.ask(headers=batch)).status == 200

    run(main())


def test_an_operator_puts_a_route_on_a_rung(tmp_path):
    rungs = (Rung("short", max_output_tokens=2), Rung("small", target="mini"))

    async def main():
        async with drilled(tmp_path, *rungs) as it:
            base = it.it.world.plan
            for floor, name, target in ((1, "short", "big"), (2, "small", "mini")):
                put_in_force(it.it.world, base, {"ladder_floor": {"small": float(floor)}})
                _, receipt = await it.served()
                assert led(receipt) == (name, "model", "floor")
                assert receipt.target == target
            put_in_force(it.it.world, base, {"ladder_floor": {"*": 9.0}})  # there are two
            assert (await it.served())[1].rung == "small"
            put_in_force(it.it.world, base, {})  # the lease is over
            assert (await it.served())[1].rung is None

    run(main())


def test_a_target_that_is_switched_off_is_served_by_its_ladder(tmp_path):
    async def main():
        async with drilled(tmp_path, Rung("same", when=SMALL.when), SMALL, SORRY) as it:
            base = it.it.world.plan
            put_in_force(it.it.world, base, {"target_off": {"big": 1.0}})
            _, receipt = await it.served()
            assert led(receipt) == ("small", "model", "unavailable")
            assert not it.asked(it.big)
            put_in_force(it.it.world, base, {"target_off": {"big": 1.0, "mini": 1.0}})
            assert led((await it.served())[1]) == ("sorry", "apology", "unavailable")

    run(main())


def test_who_is_shed_is_told_so_kindly(tmp_path):
    rung = Rung("busy", "apology", When(pressure=True), text="We are busy.")

    async def main():
        async with drilled(tmp_path, rung) as it:
            it.it.world.pressure.shed(3)
            reply, receipt = await it.served()
            assert led(receipt) == ("busy", "apology", "pressure")
            assert reply.status == 200
            assert not it.asked(it.big)

    run(main())


def test_the_callers_time_runs_out_while_it_climbs(tmp_path):
    async def main():
        async with drilled(tmp_path, SMALL, SORRY, faults=("stall:20",)) as it:
            auth = {"authorization": f"Bearer {it.it.key}", "x-tidegate-timeout": "0.2"}
            reply = await it.ask(headers=auth)
            receipt = await it.it.receipt()
            assert reply.status == 200
            assert led(receipt) == ("sorry", "apology", "timeout")
            assert not it.asked(it.mini)  # nobody waits for what it would say

    run(main())


def test_what_a_caller_got_wrong_is_told_as_ever(tmp_path):
    async def main():
        async with drilled(tmp_path, SMALL, SORRY, faults=("status:400",)) as it:
            reply, receipt = await it.served()
            assert reply.status == 400
            assert receipt.rung is None

    run(main())


def test_other_endpoints_have_no_ladder(tmp_path):
    async def main():
        async with drilled(tmp_path, SMALL, SORRY, faults=("status:503",)) as it:
            reply = await it.it.ask("/v1/embeddings", {"model": "small", "input": "hi"})
            assert reply.status in (502, 503)
            assert (await it.it.receipt()).rung is None

    run(main())


@pytest.mark.parametrize(
    "rung",
    [SORRY, Rung("again", when=SMALL.when, system_prompt="Be brief.")],
    ids=["sorry", "again"],
)
def test_an_apology_is_never_kept_for_others(tmp_path, rung):
    """Nor is a lesser answer: it would be given to who asked for a whole one."""
    cache = RouteCache(ExactCache(deterministic="any"))

    async def main():
        async with drilled(tmp_path, rung, faults=("status:503 times=1",), cache=cache) as it:
            _, first = await it.served(**ASK)
            assert first.rung == rung.name
            _, second = await it.served(**ASK)
            assert (second.rung, second.cache) == (None, "miss")

    run(main())


def test_each_answer_of_several_has_the_text(tmp_path):
    async def main():
        async with drilled(tmp_path, SORRY, faults=("status:503",)) as it:
            reply, _ = await it.served(n=2)
            said = [one["message"]["content"] for one in reply.json["choices"]]
            assert said == ["Sorry.", "Sorry."]
            assert msgspec.json.decode(reply.body)["usage"]["total_tokens"] == 0

    run(main())


@pytest.mark.parametrize(
    ("mini", "faults", "asked"),
    [({"context_tokens": 3}, (), 0), ({}, ("status:400",), 1)],
    ids=["no_room", "rejected"],
)
def test_what_only_a_rung_cannot_do_is_no_mistake_of_the_callers(tmp_path, mini, faults, asked):
    async def main():
        broken = {"faults": ("status:503",), "mini_faults": faults, "mini": mini}
        async with drilled(tmp_path, SMALL, **broken) as it:
            reply, receipt = await it.served()
            assert reply.status == 503
            assert receipt.error_fault == "provider"
            assert len(it.asked(it.mini)) == asked
        async with drilled(tmp_path / "next", SMALL, SORRY, **broken) as it:
            assert led((await it.served())[1]) == ("sorry", "apology", "unavailable")

    run(main())


def test_what_is_no_chat_does_not_ask_what_is_switched_off(tmp_path):
    async def main():
        async with drilled(tmp_path, SMALL, SORRY) as it:
            base = it.it.world.plan
            put_in_force(it.it.world, base, {"target_off": {"big": 1.0}})
            for path, body in (("embeddings", {"input": "hi"}), ("completions", {"prompt": "hi"})):
                reply = await it.it.ask(f"/v1/{path}", {"model": "small", **body})
                assert (reply.status, reply.code) == (503, "route_off")
            reply = await it.it.ask("/v1/messages/count_tokens", {"model": "small", "messages": []})
            assert reply.status == 503
            assert not it.asked(it.big)

    run(main())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_address_is_asked_about_a_stale_answer_of_a_rung(tmp_path, stream):
    rung = Rung("old", "stale", When(("unavailable",)), stale_s=600.0)
    cache = RouteCache(ExactCache(ttl_s=0.01, stale_rung_s=600.0))
    body = {**ASK, "stream": stream}

    async def main():
        async with Upstream(judging({"action": "allow"})) as judge:
            looked = RouteGuardrails((), (address(judge),))
            async with drilled(
                tmp_path, rung, SORRY, faults=("status:503 skip=1",), cache=cache, guardrails=looked
            ) as it:
                first, _ = await it.served(**body)
                await asyncio.sleep(0.02)

                async def slowly(exchange):
                    it.it.world.sweep(1e12)  # a sign of life is due meanwhile
                    await judging({"action": "allow"})(exchange)

                judge.script = slowly
                reply, receipt = await it.served(**body)
                assert led(receipt) == ("old", "stale", "unavailable")
                assert len(judge.exchanges) == 2
                assert reply.status == 200
                assert reply.events[-len(first.events) :] == first.events
                assert reply.raw.count(b"HTTP/1.1") == 1
                judge.script = judging({"action": "block"})
                reply, receipt = await it.served(**body)
                assert receipt.error_code == "guardrail_blocked"

    run(main())


def test_what_a_guardrail_stops_at_a_rung_ends_the_request(tmp_path):
    async def main():
        async with Upstream(judging({"action": "block"})) as judge:
            looked = RouteGuardrails((), (address(judge),))
            async with drilled(
                tmp_path, SMALL, SORRY, faults=("status:503",), guardrails=looked
            ) as it:
                reply, receipt = await it.served()
                assert (reply.status, reply.code) == (400, "guardrail_blocked")
                assert led(receipt) == ("small", "model", "unavailable")

    run(main())
