"""A running LiteLLM proxy is audited from both sides: streams that its provider cut, cached tokens,
and keys of nobody; what the report finds is what its provider knows."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from tests.e2e.litellm_house import Litellm
from tests.gateway.test_tap import tapped
from tests.gateway.upstream import DONE, STREAM_HEAD, Exchange, Upstream, answer_bytes, chunk
from tests.postgres import Server, serving

from tidegate.core.audit import LedgerRow, Observed
from tidegate.record.auditing import audit
from tidegate.stores import litellm_spend_logs

pytestmark = [pytest.mark.postgres, pytest.mark.soak, pytest.mark.timeout(900)]

PLAIN, STREAMED, CUT, CACHED, NOBODY = 8, 6, 5, 7, 4


class Provider:
    """OpenAI's chat, which does what a question says, and knows what it did."""

    def __init__(self) -> None:
        self.cut: list[str] = []
        self.cached: dict[str, int] = {}
        self.tokens: dict[str, tuple[int, int]] = {}

    async def answer(self, exchange: Exchange) -> None:
        asked = exchange.json
        question: str = asked["messages"][-1]["content"]
        id = f"chatcmpl-{len(self.tokens)}-{question}"
        cached = 60 if question.startswith("cached") else 0
        usage = {
            "prompt_tokens": 100,
            "completion_tokens": 7,
            "total_tokens": 107,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        self.tokens[id] = 100, 7
        if cached:
            self.cached[id] = cached
        about = {"id": id, "created": 1, "model": asked["model"]}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": "A tide."}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = {**about, "object": "chat.completion", "choices": [choice], "usage": usage}
            exchange.send(answer_bytes(200, msgspec.json.encode(body)))
            return
        exchange.send(STREAM_HEAD)
        about["object"] = "chat.completion.chunk"

        def say(delta: dict[str, Any], finish: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            exchange.event(msgspec.json.encode({**about, "choices": [choice]}))

        for word in ("A", " tide", " is", " water"):
            say({"role": "assistant", "content": word})
            await asyncio.sleep(0.01)
        if question.startswith("cut"):
            self.cut.append(id)
            exchange.send(b"0\r\n\r\n")  # a clean end of HTTP, of a stream without its own
            return
        say({}, "stop")
        exchange.event(msgspec.json.encode({**about, "choices": [], "usage": usage}))
        exchange.send(chunk(DONE) + b"0\r\n\r\n")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


async def asked(url: str, key: str, question: str, *, stream: bool) -> None:
    body = {"model": "chat", "stream": stream, "messages": [{"role": "user", "content": question}]}
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(timeout=60) as client:
        with contextlib.suppress(httpx2.HTTPError):
            await client.post(f"{url}/v1/chat/completions", json=body, headers=headers)


def written(house: Litellm, wanted: int, since_s: float) -> list[LedgerRow]:
    """What its ledger says, once it has written all or some time has passed."""
    until_s = time.monotonic() + 60
    while True:
        rows = list(litellm_spend_logs.read(house.database, since_s, time.time() + 60))
        if len(rows) >= wanted or time.monotonic() > until_s:
            return rows
        time.sleep(1)


async def audited(server: Server, folder: Path) -> None:
    provider = Provider()
    async with (
        Upstream(provider.answer) as up,
        tapped(up.port, "back") as back,
    ):
        house = Litellm(server.database(), f"http://127.0.0.1:{back.address[1]}", folder)
        await asyncio.to_thread(house.migrate)
        await asyncio.to_thread(house.start)
        try:
            seen, rows = await used(house, back.seen)
        finally:
            await asyncio.to_thread(house.stop)
    report = audit(seen, rows, lambda _: None)
    print(f"\n{report}")
    found = {it.kind: it.count for it in report.findings}
    assert found == {kind: count for kind, count in known(provider, seen, rows).items() if count}
    assert report.judged >= PLAIN + STREAMED


def known(provider: Provider, seen: list[Observed], rows: list[LedgerRow]) -> dict[str, int]:
    """What there is to be found, and there is nothing else."""
    by_id = {row.id: row for row in rows}
    cut = [by_id[id] for id in provider.cut if id in by_id]
    told = [by_id[id] for id in provider.tokens if id in by_id and id not in provider.cut]
    twice = [
        row
        for row in told
        if row.id in provider.cached and row.input_tokens == 100 + provider.cached[row.id]
    ]
    beyond = [
        (row.input_tokens or 0) + (row.output_tokens or 0) - sum(provider.tokens[row.id])
        for row in told
        if row not in twice
    ]
    ids = {id for row in rows for id in (row.id, row.call_id)}
    alone = [it for it in seen if ids.isdisjoint({it.answer_id, it.call_id} - {None})]
    return {
        "cut_as_success": sum(row.succeeded is True for row in cut),
        "cached_twice": len(twice),
        "more_tokens": sum(tokens > 0 for tokens in beyond),
        "fewer_tokens": sum(tokens < 0 for tokens in beyond),
        "lost": sum(it.side == "front" for it in alone),
        "unrecorded_call": sum(it.side == "back" for it in alone),
        "unattributed": sum(bool(row.spend_nanousd) and not (row.team or row.user) for row in rows),
    }


async def used(house: Litellm, back: list[Observed]) -> tuple[list[Observed], list[LedgerRow]]:
    team = house.ask("/team/new", {"team_alias": "audited"})["team_id"]
    mine = house.ask("/key/generate", {"team_id": team})["key"]
    nobody = house.ask("/key/generate", {})["key"]
    since_s = time.time() - 5
    port = int(house.url.rpartition(":")[2])
    async with tapped(port) as front:
        url = f"http://127.0.0.1:{front.address[1]}"
        for count, question, key, stream in (
            (PLAIN, "plain", mine, False),
            (STREAMED, "streamed", mine, True),
            (CUT, "cut", mine, True),
            (CACHED, "cached", mine, False),
            (NOBODY, "nobody", nobody, False),
        ):
            for number in range(count):
                await asked(url, key, f"{question}-{number}", stream=stream)
        rows = await asyncio.to_thread(
            written, house, PLAIN + STREAMED + CUT + CACHED + NOBODY, since_s
        )
        assert len(front.seen) == PLAIN + STREAMED + CUT + CACHED + NOBODY
        return [*front.seen, *back], rows


def test_what_the_report_finds_is_what_the_provider_did(server: Server, tmp_path: Path) -> None:
    asyncio.run(audited(server, tmp_path))
