"""Nothing around a request sees more of it than its provider does: copies for a release, captures
of live and of kept answers, and the cache."""

import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.cached import keeping
from tests.gateway.contracted import answering
from tests.gateway.guarded import (
    RESTORED,
    address,
    asking,
    guarded,
    judging,
    with_guardrails,
)
from tests.gateway.rig import gateway, plan_of, run, target, until
from tests.gateway.shadowed import Beside, beside
from tests.gateway.spools import Kept
from tests.gateway.upstream import Exchange, Upstream

from tidegate.core.capture import Capture
from tidegate.core.guardrail import Guardrail, RouteGuardrails
from tidegate.gateway import shadow
from tidegate.gateway.guard import guard_at_once
from tidegate.gateway.guard_input import AT_ONCE_BYTES

B, END = "boundary=xyz", b"--xyz--\r\n"
WORDS = Guardrail("words", "words", "redact", words=("falcon",))


def part(name: str, value: bytes, more: str = "") -> bytes:
    told = f'form-data; name="{name}"' + (f"; {more}" if more else "")
    return b"--xyz\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (told.encode(), value)


async def copied(
    it: Beside,
    *guardrails: Guardrail,
    out: tuple[Guardrail, ...] = (),
    capture: Capture | None = None,
) -> None:
    """The same plan with guardrails on both versions."""
    plan = it.it.world.plan
    assert plan is not None
    routes = dict(plan.plan.routes)
    for name, route in list(routes.items()):
        if route.candidate is None:
            continue
        both = {"guardrails": RouteGuardrails(guardrails, out), "capture": capture}
        candidate = replace(route.candidate, route=replace(route.candidate.route, **both))
        routes[name] = replace(route, candidate=candidate, **both)
    assert await it.it.obey(replace(plan.plan, routes=routes, version=plan.plan.version + 1))
    it.candidate.shadow_share = 1.0


def test_a_copy_says_what_the_provider_was_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with beside(tmp_path) as it:
            await copied(it, WORDS)
            assert (await it.it.ask(body=asking("the falcon flies"))).status == 200
            _, [copy] = await it.receipts()
            assert copy.error_code is None and copy.guardrails
            sent = it.coming.exchanges[0].json["messages"][-1]["content"]
            assert sent == "the <WORD_1> flies"

    run(main())


def test_a_long_copy_is_looked_through_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bool] = []

    def look(*asked: Any) -> bool:
        looked.append(threading.current_thread() is threading.main_thread())
        return guard_at_once(*asked)

    async def main() -> None:
        async with beside(tmp_path) as it:
            await copied(it, WORDS)
            monkeypatch.setattr(shadow, "guard_at_once", look)
            for more in ("", "a " * AT_ONCE_BYTES):
                assert (await it.it.ask(body=asking(f"the falcon flies {more}"))).status == 200
                await until(lambda: not len(it.shadows))
            _, copies = await it.receipts()
            assert [copy.guardrails[0].count for copy in copies] == [1, 1]
            assert looked == [True, False]
            assert "falcon" not in str(it.coming.exchanges[-1].json)
            assert it.candidate.copies.in_flight == 0

    run(main())


def test_no_copy_is_sent_where_an_address_would_have_to_be_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(judging({"action": "allow"})) as judge, beside(tmp_path) as it:
            url = f"http://127.0.0.1:{judge.port}/x"
            await copied(it, Guardrail("outside", "http", "block", url=url))
            assert (await it.it.ask(body=asking("hi"))).status == 200
            _, copies = await it.receipts()
            assert copies == [] and it.skipped == {"refused": 1}

    run(main())


def test_what_cannot_be_looked_through_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with guarded(tmp_path, answering("x"), [WORDS], [WORDS]) as (it, up):
            form = {
                "authorization": f"Bearer {it.key}",
                "content-type": f"multipart/form-data; {B}",
            }
            sound = part("model", b"small") + part("file", b"RIFF", 'filename="a.wav"')
            for name, wanted in (("response_format", b"srt"), ("stream", b"true")):
                cues = sound + part(name, wanted) + END
                reply = await it.ask("/v1/audio/transcriptions", cues, form)
                assert (reply.status, reply.code) == (400, "unsupported_parameter")
            spoken = asking("hi", modalities=["text", "audio"], audio={"voice": "v"})
            reply = await it.ask(body=spoken)
            assert (reply.status, reply.code) == (400, "unsupported_parameter")
            image = part("image", b"PNG", 'filename="a.png"')
            asked = part("model", b"small") + part("prompt", b"a falcon") + image + END
            reply = await it.ask("/v1/images/edits", asked, form)
            assert reply.status == 400 and not up.exchanges

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_captures_hold_what_went_out_and_never_what_was_restored(
    tmp_path: Path, stream: bool
) -> None:
    async def main() -> None:
        script = answering("Dear <EMAIL_1>, the", " fal", "con is", " here.")
        async with Upstream(script) as up, gateway(tmp_path) as it:
            plan = keeping(plan_of(target(up.port)))
            plan = with_guardrails(plan, [RESTORED], [RESTORED, WORDS])
            routes = {n: replace(r, capture=Capture(1.0)) for n, r in plan.routes.items()}
            kept = Kept(it)
            try:
                assert await it.obey(replace(plan, routes=routes))
                body: Any = asking("I am anna@x.org", stream=stream, temperature=0, seed=1)
                for _ in range(2):  # live, then kept
                    reply = await it.ask(body=body)
                    assert b"anna@x.org" in reply.body and b"falcon" not in reply.body
                live, again = await kept.settled(2)
                assert live.answer == again.answer == "Dear <EMAIL_1>, the <WORD_1> is here."
                assert "anna" not in live.messages and again.cache == "hit"
            finally:
                kept.captures.close()

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_what_an_address_has_taken_out_of_an_answer_is_not_captured(
    tmp_path: Path, stream: bool
) -> None:
    async def main() -> None:
        verdict = judging({"action": "redact", "texts": ["[gone]"]})
        async with (
            Upstream(verdict) as judge,
            Upstream(answering("a b", "c")) as up,
            gateway(tmp_path) as it,
        ):
            plan = with_guardrails(keeping(plan_of(target(up.port))), [], [address(judge)])
            routes = {n: replace(r, capture=Capture(1.0)) for n, r in plan.routes.items()}
            kept = Kept(it)
            try:
                assert await it.obey(replace(plan, routes=routes))
                body = asking("hi", stream=stream, temperature=0, seed=1)
                for _ in range(2):  # live, then kept
                    reply = await it.ask(body=body)
                    assert b"[gone]" in reply.body
                judge.script = judging({"action": "allow"})
                assert (await it.ask(body=body)).status == 200
                [third] = await kept.settled(1)
                assert third.receipt_id == it.receipts()[-1].id
            finally:
                kept.captures.close()

    run(main())


def sounding(answer: bytes, kind: bytes = b"application/json") -> Any:
    async def script(exchange: Exchange) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
        exchange.send(head % (kind, len(answer)) + answer)

    return script


@pytest.mark.parametrize("kind", ["json", "text"])
def test_transcripts_are_looked_through_as_a_whole(tmp_path: Path, kind: str) -> None:
    told, came_as = b'{"text":"the falcon","segments":[]}', b"application/json"
    if kind == "text":
        told, came_as = b"the falcon\n", b"text/plain; charset=utf-8"

    async def main() -> None:
        async with (
            Upstream(judging({"action": "mark"})) as judge,
            guarded(tmp_path, sounding(told, came_as), (), [WORDS, address(judge)]) as (it, _),
        ):
            form = {
                "authorization": f"Bearer {it.key}",
                "content-type": f"multipart/form-data; {B}",
            }
            asked = part("model", b"small") + part("file", b"RIFF", 'filename="a.wav"')
            asked += part("response_format", kind.encode()) + END
            reply = await it.ask("/v1/audio/transcriptions", asked, form)
            assert reply.status == 200
            assert reply.body.strip() in (b'{"text":"the <WORD_1>"}', b"the <WORD_1>")
            assert (await judge.arrived()).json["texts"][0].strip() == "the <WORD_1>"
            hits = (await it.receipt()).guardrails
            assert [(hit.guardrail, hit.action) for hit in hits] == [
                ("words", "redact"),
                ("outside", "mark"),
            ]

    run(main())


def test_what_is_spoken_is_charged_by_what_is_left_of_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with guarded(tmp_path, sounding(b"ID3", b"audio/mpeg"), [WORDS]) as (it, up):
            body = {"model": "small", "input": "the falcon", "voice": "falcon"}
            assert (await it.ask("/v1/audio/speech", body)).status == 200
            sent = up.exchanges[0].json
            assert (sent["input"], sent["voice"]) == ("the <WORD_1>", "falcon")
            assert (await it.receipt()).characters == len("the <WORD_1>")

    run(main())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asks", [False, True])
def test_a_capture_of_a_copy_holds_what_guardrails_let_pass(
    tmp_path: Path, stream: bool, asks: bool
) -> None:
    async def main() -> None:
        async with (
            Upstream(judging({"action": "allow"})) as judge,
            beside(tmp_path, script=answering("the fal", "con is", " here.")) as it,
        ):
            it.stable.script = answering("hello")
            kept = Kept(it.it)
            try:
                out = (WORDS, address(judge)) if asks else (WORDS,)
                await copied(it, WORDS, out=out, capture=Capture(1.0, also=("shadow",)))
                reply = await it.it.ask(body=asking("a falcon", stream=stream))
                assert reply.status == 200
                _, [copy] = await it.receipts()
                found = await kept.settled(1 if asks else 2)
                of_copy = [one for one in found if one.receipt_id == copy.id]
                if asks:  # nobody is asked about a copy, so that nothing of it is kept
                    assert not of_copy
                    return
                [one] = of_copy
                assert one.answer == "the <WORD_1> is here." and "falcon" not in one.messages
            finally:
                kept.captures.close()

    run(main())
