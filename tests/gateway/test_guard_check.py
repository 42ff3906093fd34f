"""An address is asked within its deadline, over connections that are kept, and told who asks."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.contracted import answering
from tests.gateway.guarded import RESTORED, address, asking, content, guarded, judging
from tests.gateway.rig import run
from tests.gateway.upstream import OK, Exchange, Upstream, answer_bytes, chunk

from tidegate.core.guardrail import SentenceBuffer
from tidegate.core.secret import SecretRef


async def silent(exchange: Exchange) -> None:
    del exchange
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("script", "fields", "told"),
    [
        (silent, {"deadline_s": 0.05}, "timeout"),
        (judging(b"{}", 500), {}, "malformed"),
        (judging({"action": "allow"}), {"credential": SecretRef(env="NO")}, "credential_missing"),
    ],
    ids=["silent", "status", "credential"],
)
def test_whoever_says_nothing_is_told_by_a_word(
    tmp_path: Path, script: Any, fields: dict[str, Any], told: str
) -> None:
    async def main() -> None:
        async with Upstream(script) as judge:
            outside = address(judge, **fields)
            async with guarded(tmp_path, answering("x"), [outside]) as (it, up):
                assert (await it.ask(body=asking("hi"))).code == "guardrail_unavailable"
                assert [hit.type for hit in (await it.receipt()).guardrails] == [told]
                assert not up.exchanges

    run(main())


def test_an_address_that_is_gone_is_unreachable(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(judging({"action": "allow"})) as judge:
            outside = address(judge)
        async with guarded(tmp_path, answering("x"), [outside]) as (it, _):
            assert (await it.ask(body=asking("hi"))).status == 503
            assert [hit.type for hit in (await it.receipt()).guardrails] == ["unreachable"]

    run(main())


def test_connections_are_kept_and_one_that_was_closed_is_replaced(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(judging({"action": "mark"})) as judge:
            outside = address(judge)
            async with guarded(tmp_path, answering("x"), [outside]) as (it, _):
                for _ in range(3):
                    assert (await it.ask(body=asking("hi"))).status == 200
                assert judge.connected == 1
                assert judge.exchanges[0].path == b"/check"
                assert [hit.action for hit in (await it.receipt(3)).guardrails] == ["mark"]

    run(main())


@pytest.mark.parametrize("side", ["input", "output"])
def test_the_callers_own_time_counts_too(tmp_path: Path, side: str) -> None:
    async def main() -> None:
        async with Upstream(silent) as judge:
            outside = address(judge, deadline_s=30.0, on_error="open")
            into, out = ((outside,), ()) if side == "input" else ((), (outside,))
            async with guarded(tmp_path, answering("x"), into, out) as (it, up):
                head = {"authorization": f"Bearer {it.key}", "x-tidegate-timeout": "0.2"}
                reply = await it.ask(body=asking("hi"), headers=head)
                assert (reply.status, reply.code) == (504, "upstream_timeout")
                receipt = await it.receipt()
                assert receipt.total_s is not None and receipt.total_s < 5
                assert receipt.guardrails == []  # it is not the address that was too slow
                assert len(up.exchanges) == (0 if side == "input" else 1)

    run(main())


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_client_that_leaves_ends_the_question(tmp_path: Path, side: str) -> None:
    async def main() -> None:
        async with Upstream(silent) as judge:
            outside = address(judge, deadline_s=30.0)
            into, out = ((outside,), ()) if side == "input" else ((), (outside,))
            async with guarded(tmp_path, answering("x"), into, out) as (it, _):
                client = asyncio.create_task(it.ask(body=asking("hi")))
                asked = await judge.arrived()
                client.cancel()
                await asyncio.gather(client, return_exceptions=True)
                await asyncio.wait_for(asked.closed.wait(), 5)
                assert (await it.receipt()).error_code == "client_closed"

    run(main())


@pytest.mark.parametrize("by_sentence", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_an_address_never_sees_what_its_caller_gets_back(
    tmp_path: Path, stream: bool, by_sentence: bool
) -> None:
    async def redacts(exchange: Exchange) -> None:
        texts = [it.replace("Bad", "[gone]") for it in exchange.json["texts"]]
        exchange.send(answer_bytes(200, msgspec.json.encode({"action": "redact", "texts": texts})))

    async def main() -> None:
        async with Upstream(redacts) as judge:
            outside = address(judge, by_sentence=by_sentence)
            script = answering("Bad are you, <EM", "AIL_1>. ", "Not <EMAIL_1>.")
            guards = [RESTORED], [outside]
            async with guarded(tmp_path, script, *guards, SentenceBuffer()) as (it, _):
                reply = await it.ask(body=asking("I am anna@x.org", stream=stream))
                said = content(reply.events) if stream else None
                said = said or reply.json["choices"][0]["message"]["content"]
                assert said == "[gone] are you, anna@x.org. Not anna@x.org."
                seen = b"".join(asked.body for asked in judge.exchanges)
                assert b"anna" not in seen and b"<EMAIL_1>" in seen

    run(main())


def test_a_stream_of_images_has_no_text_to_ask_about_and_keeps_its_end(tmp_path: Path) -> None:
    shown = b'data: {"type":"image_generation.partial_image","b64_json":"QUJD"}\n\n'
    done = b'data: {"type":"image_generation.completed","b64_json":"QUJD"}\n\n'

    async def draws(exchange: Exchange) -> None:
        kind = b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        exchange.send(OK + kind + chunk(shown) + chunk(done) + b"0\r\n\r\n")

    async def main() -> None:
        judge = Upstream(judging({"action": "allow"}))
        async with judge, guarded(tmp_path, draws, (), [address(judge)]) as (it, _):
            body = {"model": "small", "prompt": "p", "stream": True}
            reply = await it.ask("/v1/images/generations", body)
            assert (reply.body, reply.whole) == (shown + done, True)

    run(main())
