"""The bench of resilience: its providers fail and charge as declared, and its table adds up."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from bench.faults import BY_NAME, KEPT_TOKENS, PROMPT_TOKENS, TOKENS
from bench.faulty_upstream import FaultyUpstream, Wire
from bench.resilience_load import Asked
from bench.resilience_peers import LITELLM, SDK, TIDEGATE, Ports

from bench import faults, resilience, resilience_load, resilience_peers, resilience_table
from tidegate.config.load import compile_file

PORTS = Ports(1, 2)


@asynccontextmanager
async def upstream() -> AsyncIterator[tuple[FaultyUpstream, str]]:
    it = FaultyUpstream()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Wire(it), "127.0.0.1", 0) as server:
        yield it, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def ask(url: str, name: str, who: str, stream: bool) -> Asked:
    """By a client that asks once and waits as one that talks to a provider."""
    async with openai.AsyncOpenAI(
        api_key=faults.KEYS[0], base_url=f"{url}/{name}/{who}/v1", max_retries=0
    ) as client:
        system = resilience_peers.bare_sdk("")
        return await resilience_load.ask(client, system, BY_NAME[name], stream)


def became(name: str, who: str = "primary", stream: bool = True) -> tuple[str, dict[str, int]]:
    async def main() -> tuple[str, dict[str, int]]:
        async with upstream() as (it, url):
            asked = await ask(url, name, who, stream)
            return asked.became, it.bills[name].told()

    return asyncio.run(main())


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("who", ["primary", "secondary"])
def test_a_provider_that_is_well_charges_what_arrives(who: str, stream: bool) -> None:
    assert became("healthy", who, stream) == (
        "good",
        {"requests": 1, "input_tokens": PROMPT_TOKENS, "output_tokens": TOKENS},
    )


@pytest.mark.parametrize("name", ["told", "untold", "storm"])
def test_who_refuses_charges_nothing(name: str) -> None:
    assert became(name) == ("told", {"requests": 1, "input_tokens": 0, "output_tokens": 0})
    assert became(name, "secondary")[0] == "good"


def test_who_cuts_charges_what_was_made_and_a_proper_end_tells_nobody() -> None:
    async def main() -> None:
        async with upstream() as (it, url):
            asked = [await ask(url, "cut", "primary", True) for _ in range(2)]
            assert {one.became for one in asked} == {"told", "untold"}
            assert it.bills["cut"].output_tokens == 2 * KEPT_TOKENS

    asyncio.run(main())


def test_who_is_left_stops_and_charges_the_prompt() -> None:
    async def main() -> None:
        async with upstream() as (it, url):
            host, port = url.removeprefix("http://").split(":")
            _, writer = await asyncio.open_connection(host, int(port))
            body = b'{"stream": true}'
            head = (
                b"POST /healthy/primary/v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n"
            )
            writer.write(head % len(body) + body)
            while not it.bills["healthy"].output_tokens:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.001)
            writer.close()
            await writer.wait_closed()
            while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 - nor of this
                await asyncio.sleep(0.001)
            assert it.bills["healthy"].output_tokens < TOKENS
            assert it.bills["healthy"].input_tokens == PROMPT_TOKENS

    asyncio.run(main())


def test_revoked_credentials_are_refused_and_others_served() -> None:
    async def main() -> None:
        async with upstream() as (_, url):
            for key in faults.KEYS:
                client = openai.AsyncOpenAI(
                    api_key=key, base_url=f"{url}/revoked/primary/v1", max_retries=0
                )
                system = resilience_peers.bare_sdk("")
                asked = await resilience_load.ask(client, system, BY_NAME["revoked"], False)
                assert asked.became == ("told" if key in faults.REVOKED else "good")
                await client.close()

    asyncio.run(main())


def test_the_plan_is_one_and_litellm_has_the_same_targets() -> None:
    plan = resilience_peers.tidegate_plan(PORTS)
    environ = {f"BENCH_KEY_{number}": key for number, key in enumerate(faults.KEYS)}
    compiled = compile_file(json.dumps(plan).encode(), environ, 1, 1_800_000_000.0)
    assert not compiled.problems and compiled.plan is not None
    assert set(compiled.plan.routes) == set(BY_NAME)
    config = resilience_peers.litellm_config(PORTS)
    urls = {one["litellm_params"]["api_base"] for one in config["model_list"]}
    assert urls == {one["base_url"] for one in plan["providers"].values()}
    assert "http://127.0.0.1:2/dead/primary/v1" in urls


def row(case: str, system: str, good: int, took_s: float = 0.3, more: int = 0) -> dict[str, Any]:
    asked = [Asked("good", number % 2 == 0, took_s) for number in range(good)]
    asked += [Asked("told", True, 1.0)] * (100 - good)
    bill = {
        "requests": 100 + more,
        "input_tokens": PROMPT_TOKENS * (good + more),
        "output_tokens": TOKENS * good,
    }
    return resilience.row_of(system, BY_NAME[case], asked, bill)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    rows = [
        row("healthy", SDK, 100),
        row("healthy", TIDEGATE, 100),
        row("dead", SDK, 0),
        row("dead", TIDEGATE, 100, 0.4),
        row("silent", SDK, 0),
        row("silent", TIDEGATE, 97, more=10),
        row("silent", LITELLM, 99, 0.35, more=10),
        row("slow", SDK, 100, 0.3),
        row("slow", TIDEGATE, 100, 0.4, more=10),
        row("slow", LITELLM, 50, 0.3),
    ]
    file = tmp_path / "resilience.json"
    machine = {"date": "today", "commit": "abc", "machine": "2 cores", "python": "3.11"}
    versions = {SDK: "3.0", TIDEGATE: "abc"}
    told = {"machine": machine, "busy": [0.5, 4.0], "versions": versions, "rows": rows}
    file.write_text(json.dumps(told))
    return file


def test_what_is_wasted_is_what_was_charged_for_no_whole_answer(kept: Path) -> None:
    _, table = resilience_table.read(kept)
    assert table["dead", TIDEGATE].wasted_cents == 0
    # 10 prompts of 200 tokens at $2.50 a million, of 100 requests.
    assert table["silent", TIDEGATE].wasted_cents == pytest.approx(5.0)
    assert table["silent", TIDEGATE].upstream == pytest.approx(1.1)


def test_what_is_added_is_over_the_bare_client_where_nothing_is_wrong(kept: Path) -> None:
    _, table = resilience_table.read(kept)
    assert table["healthy", SDK].added_p50_ms == pytest.approx(0)
    assert table["dead", TIDEGATE].added_p50_ms == pytest.approx(100)
    assert table["dead", TIDEGATE].added_mean_ms == pytest.approx(100)
    assert table["dead", SDK].added_p50_ms is None
    assert table["dead", SDK].failed_after_s == pytest.approx(1.0)


def test_being_behind_is_said(kept: Path) -> None:
    _, table = resilience_table.read(kept)
    assert resilience_table.worse(table, "dead") == []
    assert resilience_table.worse(table, "silent") == ["LiteLLM has 2.0 % more whole answers"]
    slow = resilience_table.worse(table, "slow")
    assert slow == ["the bare SDK adds 0 ms, Tidegate 100", "the bare SDK wastes less"]


def test_what_was_not_run_is_said(kept: Path) -> None:
    text = resilience_table.render(kept)
    assert "{{" not in text
    assert "| provider dead: connections are refused | LiteLLM | not run |" in text
    assert "| slow by 10x | **no**: the bare SDK adds" in text
