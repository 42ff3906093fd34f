"""Guardrails on real sockets: what providers and callers see, and what is told of it."""

from pathlib import Path
from typing import Any

import anthropic
import msgspec
import openai
import pytest
from msgspec.structs import replace
from tests.gateway.cached import keeping
from tests.gateway.contracted import answering, saying
from tests.gateway.guarded import (
    ATTACK,
    INJECTION,
    PII,
    RESTORED,
    STOP,
    address,
    asking,
    content,
    guarded,
    judging,
    with_guardrails,
)
from tests.gateway.rig import Gateway, gateway, plan_of, run, target
from tests.gateway.upstream import Upstream

from tidegate.core.guardrail import SentenceBuffer
from tidegate.core.plan import Contract

PIECES = ("Mail ", "an", "na@", "x.or", "g or", " call (415)", " 555-", "2671 now.")
SHOWN = "Mail <EMAIL_1> or call <PHONE_1> now."


def clients(it: Gateway) -> tuple[openai.AsyncOpenAI, anthropic.AsyncAnthropic]:
    host, port = it.address
    at = f"http://{host}:{port}"
    return (
        openai.AsyncOpenAI(api_key=it.key, base_url=f"{at}/v1", max_retries=0, timeout=20),
        anthropic.AsyncAnthropic(api_key=it.key, base_url=at, max_retries=0, timeout=20),
    )


def test_official_clients_read_redacted_streams_of_every_wire(tmp_path: Path) -> None:
    async def main() -> None:
        async with guarded(tmp_path, answering(*PIECES), [PII], [PII]) as (it, _):
            ours, theirs = clients(it)
            hello: Any = [{"role": "user", "content": "hi"}]
            async with ours, theirs:
                chunks = await ours.chat.completions.create(
                    model="small", messages=hello, stream=True
                )
                said = [one.choices[0].delta.content async for one in chunks if one.choices]
                assert "".join(filter(None, said)) == SHOWN
                async with ours.responses.stream(model="small", input="hi", store=False) as stream:
                    numbers = [event.sequence_number async for event in stream]
                    assert numbers == list(range(len(numbers)))
                    assert (await stream.get_final_response()).output_text == SHOWN
                asked = theirs.messages.stream(model="small", messages=hello, max_tokens=99)
                async with asked as messages:
                    assert await messages.get_final_text() == SHOWN
                whole = await ours.chat.completions.create(model="small", messages=hello)
                assert whole.choices[0].message.content == SHOWN
            for count in (1, 2, 3, 4):
                hits = (await it.receipt(count)).guardrails
                told = [(hit.type, hit.side, hit.action, hit.count) for hit in hits]
                assert told == [("email", "output", "redact", 1), ("phone", "output", "redact", 1)]

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_never_sees_what_its_caller_gets_back(tmp_path: Path, stream: bool) -> None:
    async def main() -> None:
        script = answering("You are <EM", "AIL", "_1>, no", "t b@y.org.")
        async with guarded(tmp_path, script, [RESTORED], [RESTORED]) as (it, up):
            reply = await it.ask(body=asking("I am anna@x.org", stream=stream))
            said = content(reply.events) if stream else None
            said = said or reply.json["choices"][0]["message"]["content"]
            assert said == "You are anna@x.org, not <EMAIL_2>."
            sent = (await up.arrived()).json["messages"]
            assert sent == [{"role": "user", "content": "I am <EMAIL_1>"}]
            assert reply.headers["x-tidegate-guardrails"].startswith("input/pii/email=redact:1")
            receipt = await it.receipt()
            assert receipt.input_bytes is not None and b"anna" not in msgspec.json.encode(receipt)

    run(main())


def test_a_request_that_is_stopped_is_sent_to_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with guarded(tmp_path, answering("no"), [INJECTION]) as (it, up):
            tool = {"role": "tool", "tool_call_id": "1", "content": f"Weather: {ATTACK}"}
            for body in (asking(ATTACK), {**asking("hi"), "messages": [tool]}):
                reply = await it.ask(body=body)
                assert (reply.status, reply.code) == (400, "guardrail_blocked")
                assert "injection" in reply.json["error"]["message"] and ATTACK not in str(
                    reply.raw
                )
            assert not up.exchanges
            receipt = await it.receipt(2)
            assert (receipt.error_fault, receipt.cost_nanousd) == ("policy", 0)
            assert [hit.action for hit in receipt.guardrails] == ["block"]

    run(main())


@pytest.mark.parametrize("before", ["", "A long beginning that goes out. "])
def test_an_answer_that_is_stopped_ends_without_it(tmp_path: Path, before: str) -> None:
    async def main() -> None:
        script = answering(before, "The fal", "con is near", " you")
        async with guarded(tmp_path, script, [], [STOP]) as (it, _):
            reply = await it.ask(body=asking("hi", stream=True))
            if before:
                events = [msgspec.json.decode(event) for event in reply.events]
                assert events[-1]["error"]["code"] == "guardrail_blocked"
                assert content(reply.events[:-1]).startswith(before)
            else:
                assert b"error" in reply.body
            assert b"[DONE]" not in reply.body and b"fal" not in reply.body
            receipt = await it.receipt()
            assert receipt.error_code == "guardrail_blocked"
            assert receipt.cost_nanousd  # it was made, and is charged
            reply = await it.ask(body=asking("hi"))
            assert (reply.status, reply.code) == (400, "guardrail_blocked")

    run(main())


def test_a_kept_answer_passes_the_guardrails_of_whoever_gets_it(tmp_path: Path) -> None:
    async def main() -> None:
        script = answering("Write to <EMAIL_1>", " or b@y.org.")
        async with Upstream(script) as up, gateway(tmp_path) as it:
            plan = with_guardrails(keeping(plan_of(target(up.port))), [RESTORED], [RESTORED])
            assert await it.obey(plan)
            ask = {"temperature": 0, "seed": 1}
            for who, stream in (("anna", False), ("bert", True), ("carl", False)):
                body = asking(f"I am {who}@x.org", stream=stream, **ask)
                reply = await it.ask(body=body)
                said = content(reply.events) if stream else None
                said = said or reply.json["choices"][0]["message"]["content"]
                assert said == f"Write to {who}@x.org or <EMAIL_2>."
            assert len(up.exchanges) == 1
            assert [one.cache for one in it.receipts()] == ["miss", "hit", "hit"]

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_an_address_is_asked_about_both_sides(tmp_path: Path, stream: bool) -> None:
    async def main() -> None:
        verdict = {"action": "redact", "texts": ["[gone]"]}
        async with Upstream(judging(verdict)) as judge:
            outside = address(judge)
            async with guarded(tmp_path, answering("a b", "c"), [outside], [outside]) as (it, up):
                reply = await it.ask(body=asking("hello there", stream=stream))
                said = content(reply.events) if stream else None
                said = said or reply.json["choices"][0]["message"]["content"]
                assert said == "[gone]" and reply.whole
                assert (await up.arrived()).json["messages"][0]["content"] == "[gone]"
                asked = [one.json for one in judge.exchanges]
                assert [(one["side"], one["texts"]) for one in asked] == [
                    ("input", ["hello there"]),
                    ("output", ["a bc"]),
                ]

    run(main())


@pytest.mark.parametrize(
    ("on_error", "status", "code"),
    [("open", 200, None), ("closed", 503, "guardrail_unavailable")],
)
def test_without_a_verdict_the_plan_says_what_passes(
    tmp_path: Path, on_error: Any, status: int, code: str | None
) -> None:
    async def main() -> None:
        async with Upstream(judging(b"no verdict")) as judge:
            outside = address(judge, on_error=on_error)
            async with guarded(tmp_path, answering("fine"), [outside]) as (it, _):
                assert (await it.ask(body=asking("hi"))).status == status
                receipt = await it.receipt()
                assert receipt.error_code == code
                [hit] = receipt.guardrails
                assert (hit.action, hit.type, hit.side) == ("failed", "malformed", "input")

    run(main())


def test_a_kept_answer_is_asked_about_too(tmp_path: Path) -> None:
    async def main() -> None:
        judged, said = judging({"action": "allow"}), answering("x")
        async with Upstream(judged) as judge, Upstream(said) as up, gateway(tmp_path) as it:
            plan = keeping(plan_of(target(up.port)))
            assert await it.obey(with_guardrails(plan, [], [address(judge)]))
            body = asking("hi", temperature=0, seed=1)
            assert (await it.ask(body=body)).status == 200
            judge.script = judging({"action": "block"})
            assert (await it.ask(body=body)).code == "guardrail_blocked"
            assert len(up.exchanges) == 1 and len(judge.exchanges) == 2

    run(main())


def test_sentences_go_out_together_and_the_user_s_first_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        script = answering("One is", " here.", " Two", " is too.", " Three")
        async with guarded(tmp_path, script, buffer=SentenceBuffer()) as (it, _):
            reply = await it.ask(body=asking("hi", stream=True))
            chunks = [msgspec.json.decode(event) for event in reply.events if event != b"[DONE]"]
            said = [it["choices"][0]["delta"].get("content") for it in chunks if it["choices"]]
            assert [*filter(None, said)] == ["One is here. ", "Two is too. ", "Three"]
            assert reply.events[-1] == b"[DONE]"
            receipt = await it.receipt()
            assert receipt.ttft_s is not None and receipt.first_token_s is not None
            assert receipt.ttft_s > receipt.first_token_s and receipt.guardrails == []

    run(main())


def test_what_waits_for_the_end_of_a_sentence_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def main() -> None:
        async with guarded(tmp_path, saying("Half a"), buffer=SentenceBuffer(max_wait_s=1)) as (
            it,
            up,
        ):
            up.script = answering("Half a", " sentence")
            reader, writer = await it.connect()
            writer.write(it.request(body=asking("hi", stream=True)))
            head = b""
            while b"Half a sentence" not in head and b"[DONE]" not in head:
                it.world.sweep(1e12)
                head += await reader.read(1 << 16)
            writer.close()
            assert b"Half a" in head

    run(main())


def test_a_contract_is_held_against_what_the_model_said(tmp_path: Path) -> None:
    async def main() -> None:
        script = answering('{"to": "a@', 'x.org"}')
        async with guarded(tmp_path, script, [], [PII]) as (it, up):
            plan = with_guardrails(plan_of(target(up.port), version=2), [], [PII])
            routes = {
                name: replace(route, contract=Contract(json=True, on_violation="fail", buffer=True))
                for name, route in plan.routes.items()
            }
            assert await it.obey(replace(plan, routes=routes))
            reply = await it.ask(body=asking("hi", stream=True))
            assert content(reply.events) == '{"to": "<EMAIL_1>"}'
            assert (await it.receipt()).validity == "valid"

    run(main())


def test_token_ids_do_not_slip_past_an_address(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(judging({"action": "block"})) as judge,
            guarded(tmp_path, answering("fine"), [address(judge)]) as (it, up),
        ):
            body = {"model": "small", "prompt": [1, 2, 3]}
            reply = await it.ask("/v1/completions", body)
            assert (reply.status, reply.code) == (400, "invalid_parameter")
            assert not up.exchanges

    run(main())
