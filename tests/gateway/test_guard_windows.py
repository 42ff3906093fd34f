"""Sentences of a stream go out once an address has said so: in order, within its deadline, and by a
bounded number of questions."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.dialects.rewritten import DIALECTS, rewriter, spoken, texts_of, written
from tests.gateway.contracted import answering
from tests.gateway.guarded import address, asking, content, guarded, with_guardrails
from tests.gateway.laddered import MESSAGES, RESPONSES
from tests.gateway.rig import CHAT, gateway, plan_of, run, target
from tests.gateway.spools import Kept
from tests.gateway.upstream import Exchange, Script, Upstream, answer_bytes

from tidegate.core.capture import Capture
from tidegate.core.guardrail import SentenceBuffer
from tidegate.gateway import guard_windows
from tidegate.gateway.guard_output import GuardingOutput
from tidegate.gateway.guard_windows import Replacing
from tidegate.gateway.prepared_guardrails import PreparedGuardrails
from tidegate.text.sse import SseSplitter, data_of

BUFFER = SentenceBuffer()
NONE = PreparedGuardrails(None, None, None)
PIECES = ("One is ", "here. ", "Two is ", "bad. ", "Three ", "is last.")
ASKED: dict[str, Any] = {
    CHAT: asking("hi", stream=True),
    MESSAGES: {**asking("hi", stream=True), "max_tokens": 99},
    RESPONSES: {"model": "small", "input": "hi", "store": False, "stream": True},
}


def judge(verdict: Callable[[Sequence[str]], Any], wait_s: float = 0.0) -> Script:
    async def script(exchange: Exchange) -> None:
        await asyncio.sleep(wait_s)
        said = verdict(exchange.json["texts"])
        exchange.send(answer_bytes(200, msgspec.json.encode(said)))

    return script


def asked_of(up: Upstream) -> list[str]:
    return [text for it in up.exchanges for text in it.json["texts"]]


def redacts(texts: Sequence[str]) -> Any:
    return {"action": "redact", "texts": [it.replace("Two is bad. ", "[gone] ") for it in texts]}


def blocks(texts: Sequence[str]) -> Any:
    return {"action": "block" if any("bad" in it for it in texts) else "allow"}


def allows(texts: Sequence[str]) -> Any:
    return {"action": "allow"}


@pytest.mark.parametrize("path", list(ASKED))
@pytest.mark.parametrize("verdict", [allows, redacts])
def test_each_sentence_is_asked_about_before_it_goes_out(
    tmp_path: Path, path: str, verdict: Any
) -> None:
    async def main() -> None:
        async with Upstream(judge(verdict)) as judging:
            outside = address(judging, by_sentence=True)
            async with guarded(tmp_path, answering(*PIECES), (), [outside], BUFFER) as (it, _):
                reply = await it.ask(path, ASKED[path])
                assert reply.status == 200
                whole = "".join(PIECES)
                assert "".join(asked_of(judging)) == whole
                assert 1 < len(judging.exchanges) <= len(PIECES)
                shown = whole.replace("Two is bad. ", "[gone] ") if verdict is redacts else whole
                assert said(path, reply.events) == shown
                assert ("Two is bad" in reply.body.decode()) == (verdict is allows)
                receipt = await it.receipt()
                assert receipt.error_code is None and receipt.ttft_s is not None

    run(main())


def said(path: str, events: Sequence[bytes]) -> str:
    """What a client puts together, where events have no gap."""
    if path == CHAT:
        return content(events)
    told = [msgspec.json.decode(data_of(it + b"\n\n") or b"") for it in events]
    if path == MESSAGES:
        assert [it["type"] for it in told][-2:] == ["message_delta", "message_stop"]
        return "".join(it.get("delta", {}).get("text", "") for it in told)
    assert [it["sequence_number"] for it in told] == list(range(len(told)))
    grown = "".join(it["delta"] for it in told if it["type"] == "response.output_text.delta")
    [done] = [it for it in told if it["type"] == "response.output_text.done"]
    assert done["text"] == grown == told[-1]["response"]["output"][0]["content"][0]["text"]
    return grown


@pytest.mark.parametrize("path", list(ASKED))
def test_what_is_blocked_never_goes_out_and_ends_the_stream(tmp_path: Path, path: str) -> None:
    async def main() -> None:
        async with Upstream(judge(blocks)) as judging:
            outside = address(judging, by_sentence=True)
            async with guarded(tmp_path, answering(*PIECES), (), [outside], BUFFER) as (it, _):
                reply = await it.ask(path, ASKED[path])
                assert reply.status == 200 and b"One is here." in reply.body
                assert b"bad" not in reply.body and b"Three" not in reply.body
                assert b"guardrail" in reply.events[-1] and b"[DONE]" not in reply.body
                receipt = await it.receipt()
                assert (receipt.error_code, receipt.interrupted) == ("guardrail_blocked", True)
                assert receipt.cost_nanousd  # what its provider made is charged

    run(main())


def test_what_is_blocked_first_is_an_error_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(judge(blocks)) as judging:
            outside = address(judging, by_sentence=True)
            async with guarded(tmp_path, answering("bad."), (), [outside], BUFFER) as (it, _):
                reply = await it.ask(body=ASKED[CHAT])
                assert (reply.status, reply.code) == (400, "guardrail_blocked")

    run(main())


@pytest.mark.parametrize("on_error", ["open", "closed"])
def test_silence_passes_or_ends_it_as_the_plan_says(tmp_path: Path, on_error: Any) -> None:
    async def main() -> None:
        async with Upstream(judge(allows, wait_s=60.0)) as judging:
            outside = address(judging, by_sentence=True, deadline_s=0.05, on_error=on_error)
            async with guarded(tmp_path, answering(*PIECES), (), [outside], BUFFER) as (it, _):
                reply = await it.ask(body=ASKED[CHAT])
                receipt = await it.receipt()
                assert receipt.guardrails[0].action == "failed"
                if on_error == "open":
                    assert content(reply.events) == "".join(PIECES)
                else:
                    assert (reply.status, reply.code) == (503, "guardrail_unavailable")

    run(main())


def test_no_answer_takes_more_questions_than_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_windows, "MOST_WINDOWS", 2)

    async def main() -> None:
        async with Upstream(judge(allows)) as judging:
            outside = address(judging, by_sentence=True)
            pieces = [f"Sentence {at} is here. " for at in range(12)]
            async with guarded(tmp_path, answering(*pieces), (), [outside], BUFFER) as (it, _):
                reply = await it.ask(body=ASKED[CHAT])
                assert content(reply.events) == "".join(pieces)
                assert len(judging.exchanges) == 3
                assert "".join(asked_of(judging)) == "".join(pieces)

    run(main())


def test_a_client_that_leaves_ends_the_question(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(judge(allows, wait_s=30.0)) as judging:
            outside = address(judging, by_sentence=True, deadline_s=30.0)
            async with guarded(tmp_path, answering(*PIECES), (), [outside], BUFFER) as (it, _):
                client = asyncio.create_task(it.ask(body=ASKED[CHAT]))
                await judging.arrived()
                client.cancel()
                await asyncio.gather(client, return_exceptions=True)
                receipt = await it.receipt()
                assert receipt.error_code == "client_closed"
                assert (receipt.total_s or 0.0) < 10

    run(main())


def test_what_an_address_has_changed_is_not_captured(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(judge(redacts)) as judging,
            Upstream(answering(*PIECES)) as up,
            gateway(tmp_path) as it,
        ):
            outside = address(judging, by_sentence=True)
            plan = with_guardrails(plan_of(target(up.port)), (), [outside], BUFFER)
            routes = {n: replace(r, capture=Capture(1.0)) for n, r in plan.routes.items()}
            kept = Kept(it)
            try:
                assert await it.obey(replace(plan, routes=routes))
                assert (await it.ask(body=ASKED[CHAT])).status == 200
                judging.script = judge(allows)
                assert (await it.ask(body=ASKED[CHAT])).status == 200
                [one] = await kept.settled(1)
                assert one.receipt_id == it.receipts()[-1].id
            finally:
                kept.captures.close()

    run(main())


@settings(max_examples=40)
@given(
    st.sampled_from(list(DIALECTS)),
    st.lists(st.text("ab ", min_size=1, max_size=4), min_size=1, max_size=6),
    st.lists(st.integers(1, 5), min_size=1),
    st.sets(st.integers(0, 9)),
)
def test_wherever_a_stream_is_cut_into_windows_it_says_the_same(
    wire: str, pieces: list[str], sizes: list[int], changed: set[int]
) -> None:
    """But for the windows whose text is replaced, by the deltas and wherever it is told again."""
    reads, end = written(wire, spoken(pieces, ["Hm", "."], ['{"to":', '"a"}']))
    before = rewriter(wire)  # which has arguments come whole
    events = [it for it in (*map(before.feed, reads), before.end(end)) if it]
    made, told = Replacing(DIALECTS[wire]), GuardingOutput(None, NONE, DIALECTS[wire])
    known, shown = dict[str, str](), list[str]()
    out, at, number = b"", 0, 0
    while at < len(events):
        size = sizes[number % len(sizes)]
        window = b"".join(events[at : at + size])
        heard = told.texts_of(window, streamed=True)
        instead = {text: f"[{number}]" for text in heard if text.strip() and number in changed}
        known |= instead
        shown += [known.get(text, text) for text in heard]
        out += made.written(window, instead)
        at, number = at + size, number + 1
    splitter = SseSplitter()
    datas = [data_of(event) for event in splitter.feed(out)]
    assert not splitter.rest
    found = [msgspec.json.decode(it) for it in datas if it is not None and it != b"[DONE]"]
    said_now = texts_of(wire, found)
    assert sum(map(len, said_now.values())) == sum(map(len, shown))
    assert said_now["arguments"] in shown and said_now["reasoning"] in "".join(shown)
    if wire == "openai_responses":
        assert [it["sequence_number"] for it in found] == list(range(len(found)))
        done = [it["text"] for it in found if it["type"] == "response.output_text.done"]
        assert done == [said_now["content"]]
        parts = [it["content"] for it in found[-1]["response"]["output"] if "content" in it]
        assert [part["text"] for it in parts for part in it if "text" in part][-1:] == done
    if not changed:
        whole = {"content": "".join(pieces), "reasoning": "Hm.", "arguments": '{"to":"a"}'}
        assert said_now == whole


def test_without_a_buffer_a_stream_is_held_until_it_is_whole(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(judge(allows)) as judging:
            outside = address(judging, by_sentence=True)
            async with guarded(tmp_path, answering(*PIECES), (), [outside]) as (it, _):
                assert content((await it.ask(body=ASKED[CHAT])).events) == "".join(PIECES)
                assert asked_of(judging) == ["".join(PIECES)]

    run(main())
