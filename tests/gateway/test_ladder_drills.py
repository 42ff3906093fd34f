"""Drills of what leads down a ladder and what a rung changes, in front of a provider that says what
a test wants and tells what it was asked."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.contracted import answering
from tests.gateway.guarded import INJECTION
from tests.gateway.rig import HELLO, Gateway, gateway, run
from tests.gateway.routed import at, routed
from tests.gateway.upstream import STREAM_HEAD, Exchange, Script, Upstream, answer_bytes

from tidegate.core.guardrail import RouteGuardrails
from tidegate.core.ladder import History, Rung, When
from tidegate.core.plan import Contract
from tidegate.core.resilience import Retry

ONCE = Retry(attempts=1)
PLAINLY = "Answer plainly."
NO = "I'm sorry, but I can't help with that."
ROOT = Path(__file__).parents[2]


def better(first: Script, again: Script) -> Script:
    """The first way to ask, and the other one, which says so by its system prompt."""

    async def script(exchange: Exchange) -> None:
        told = exchange.json["messages"][0]["content"]
        await (again if told == PLAINLY else first)(exchange)

    return script


@asynccontextmanager
async def drilled(
    folder: Path, script: Script, *rungs: Rung, **fields: Any
) -> AsyncIterator[tuple[Gateway, Upstream]]:
    async with Upstream(script) as up:
        a, b = at(up, "a"), at(up, "b")
        asks = any(rung.target for rung in rungs)
        routes = routed(a, retry=ONCE, ladder=rungs, rung_targets=(b,) if asks else (), **fields)
        async with gateway(folder, a, routes=routes) as it:
            yield it, up


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (answering(NO), "refused"),
        (answering(""), "empty"),
        (answering('{"a": ', finish="length"), "truncated"),
        (answering("Sure! ", "{}"), "invalid"),
    ],
    ids=["refused", "empty", "truncated", "invalid"],
)
def test_a_bad_answer_is_asked_for_in_other_words(
    tmp_path: Path, first: Script, reason: str, stream: bool
) -> None:
    """A stream is looked at where it is held back, so that nothing of the bad one goes out."""
    when = When(quality=("invalid", "empty", "truncated", "refused"))
    rung = Rung("plainly", when=when, system_prompt=PLAINLY)
    fields: dict[str, Any] = {}
    if reason == "refused" and stream:
        fields["guardrails"] = RouteGuardrails(output=(INJECTION,))
    elif stream or reason in ("invalid", "truncated"):
        fields["contract"] = Contract(json=True, on_violation="fail", buffer=True)

    async def main() -> None:
        script = better(first, answering('{"a"', ": 1}"))
        async with drilled(tmp_path, script, rung, **fields) as (it, up):
            reply = await it.ask(body={**HELLO, "stream": stream})
            assert reply.status == 200 and b"1}" in reply.body, reply.raw
            assert b"sorry" not in reply.body and b"Sure" not in reply.body
            receipt = await it.receipt()
            told = receipt.rung, receipt.rung_kind, receipt.rung_reason
            assert told == ("plainly", "model", reason)
            assert len(up.exchanges) == len(receipt.attempts) == 2

    run(main())


def test_a_compressed_conversation_says_less_by_rule(tmp_path: Path) -> None:
    history = History(drops_tool_results=True, squeezes=True)
    rung = Rung("compressed", when=When(("overflow",)), history=history)
    called = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": "Look it up.\n\n\n\nPlease.   \n"},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "c", "content": "row " * 5000},
        {"role": "assistant", "content": "There are many."},
        {"role": "user", "content": "How many?"},
    ]

    async def script(exchange: Exchange) -> None:
        if len(exchange.body) > 5000:
            error = {"code": "context_length_exceeded", "message": "too long", "param": None}
            told = msgspec.json.encode({"error": {**error, "type": "invalid_request_error"}})
            exchange.send(answer_bytes(400, told))
        else:
            await answering("Many.")(exchange)

    async def main() -> None:
        async with drilled(tmp_path, script, rung) as (it, up):
            reply = await it.ask(body={**HELLO, "messages": turns})
            assert reply.status == 200, reply.raw
            receipt = await it.receipt()
            assert (receipt.rung, receipt.rung_reason) == ("compressed", "overflow")
            sent = up.exchanges[-1].json["messages"]
            assert [it["role"] for it in sent] == [it["role"] for it in turns]
            assert sent[1] == turns[1] and sent[-1] == turns[-1]
            assert sent[0]["content"] == "Look it up.\n\nPlease.\n"
            assert "row" not in sent[2]["content"]

    run(main())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_that_was_refused_for_safety(tmp_path: Path, stream: bool) -> None:
    """By the provider's own rules, and not by the model's words."""

    async def filtered(exchange: Exchange) -> None:
        if not exchange.json.get("stream"):
            await answering("", finish="content_filter")(exchange)
            return
        exchange.send(STREAM_HEAD)
        exchange.end(finish="content_filter")

    rung = Rung("other", when=When(("refused_by_safety",), quality=("refused",)), target="b")

    async def main() -> None:
        async with Upstream(answering("Well.")) as other, Upstream(filtered) as up:
            a, b = at(up, "a"), at(other, "b")
            fields: dict[str, Any] = {"ladder": (rung,), "rung_targets": (b,)}
            if stream:
                fields["contract"] = Contract(max_chars=99, on_violation="fail", buffer=True)
            routes = routed(a, retry=ONCE, **fields)
            async with gateway(tmp_path, a, routes=routes) as it:
                reply = await it.ask(body={**HELLO, "stream": stream})
                assert reply.status == 200 and b"Well." in reply.body
                receipt = await it.receipt()
                assert (receipt.rung, receipt.target) == ("other", "b")
                assert receipt.rung_reason in ("refused", "refused_by_safety")

    run(main())


def test_every_drill_that_the_page_names_is_there() -> None:
    page = (ROOT / "docs" / "degradation.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    tests = [*(ROOT / "tests" / "gateway").glob("test_*.py"), *(ROOT / "tests/e2e").glob("*.py")]
    there = {name for path in tests for name in re.findall(r"def (test_\w+)", path.read_text())}
    assert len(named) > 20 and named <= there
