"""A real vLLM behind Tidegate: the official client, and the engine's own counters.

`../shared/engines/vllm_cpu_tiny.sh` runs vLLM's CPU build with random weights. Of vLLM's counters,
`prompt_tokens_total` counts a prompt once for each of its choices, as it is computed; receipts
count it once, as usage does. `generation_tokens_total` counts every token that was generated, also
those of an aborted answer that nobody received; the receipt of an aborted stream has the tokens
that had reached Tidegate (`test_vllm_aborts.py`). Both are compared as what they grew by, once the
engine is idle.
"""

import asyncio
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.conftest import REPOSITORY
from tests.e2e.rig import House
from tests.e2e.test_openai_client import Called, agrees

from tidegate.core.receipt import Receipt
from tidegate.record import engine_metrics

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
ENGINE = REPOSITORY.parent / "shared/engines/vllm_cpu_tiny.sh"
OPTIONS = ("--enable-prompt-tokens-details",)
URL = "http://127.0.0.1:8190"
PLAN = f"""\
providers:
  vllm: {{kind: vllm, base_url: "{URL}/v1", api_key: none}}
targets:
  tiny: {{provider: vllm, model: tiny, context_tokens: 4096, price: free}}
routes: {{demo: tiny}}
"""
IDLE_S = 60.0
COUNTERS = ("prompt_tokens_total", "generation_tokens_total", "prompt_tokens_cached_total")
LONG = "Say hello in three words, and then again. " * 30


def engine(*arguments: str, **environ: str) -> None:
    """Run the engine's script. AssertionError with what it said when it fails."""
    assert ENGINE.is_file(), f"{ENGINE} is missing: vLLM cannot be started"
    done = subprocess.run(
        [str(ENGINE), *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"vLLM does not {arguments[0]}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    engine("start", "--", *OPTIONS)
    try:
        with House(tmp_path_factory.mktemp("vllm"), PLAN) as house:
            yield house
    finally:
        engine("stop")


@pytest.fixture
def called(house: House) -> Iterator[Called]:
    it = Called(house)
    yield it
    it.close()


def counters() -> list[int]:
    """vLLM's (prompt, generated, cached prompt) tokens so far, once it runs nothing."""
    deadline_s = time.monotonic() + IDLE_S
    while time.monotonic() < deadline_s:
        with urllib.request.urlopen(f"{URL}/metrics", timeout=30) as answer:
            told = answer.read().decode()
        found = dict(re.findall(r"^vllm:(\w+)\{[^}]*\} (\S+)$", told, re.MULTILINE))
        if float(found["num_requests_running"]) + float(found["num_requests_waiting"]) == 0:
            return [int(float(found[name])) for name in COUNTERS]
        time.sleep(0.1)
    raise AssertionError("vLLM did not become idle")


def grown(before: list[int]) -> tuple[int, int, int]:
    prompt, generated, cached = (b - a for a, b in zip(before, counters(), strict=True))
    return prompt, generated, cached


def sums(receipts: list[Receipt]) -> tuple[int, int, int]:
    assert not any(r.tokens_estimated or r.usage_conflict for r in receipts)
    return (
        sum((r.total_input_tokens or 0) * r.choices for r in receipts),
        sum(r.output_tokens or 0 for r in receipts),
        sum(r.cache_read_tokens or 0 for r in receipts),
    )


def ask(number: int, **more: Any) -> dict[str, Any]:
    message = {"role": "user", "content": f"Number {number}. {LONG}"}
    return {"model": "demo", "messages": [message], "max_tokens": 16, **more}


def test_finished_requests_agree_exactly(called: Called, capsys: Any) -> None:
    before = counters()
    with openai.OpenAI(**called.options) as client:
        whole = client.chat.completions.create(**ask(1))
        agrees(called.receipts(1)[0], whole.usage)
        again = client.chat.completions.create(**ask(1))
        list(client.chat.completions.create(**ask(2), stream=True))
        told = list(
            client.chat.completions.create(
                **ask(3), stream=True, stream_options={"include_usage": True}
            )
        )
        client.completions.create(model="demo", prompt="Say hello", max_tokens=9)
        receipts = called.receipts(4)
    agrees(receipts[0], again.usage)
    assert receipts[0].cache_read_tokens
    agrees(receipts[2], told[-1].usage)
    assert [chunk.usage for chunk in told[:-1]] == [None] * (len(told) - 1)
    ours = [*receipts]
    total = sums(ours)
    first = whole.usage
    assert first is not None
    total = (total[0] + first.prompt_tokens, total[1] + first.completion_tokens, total[2])
    with capsys.disabled():
        print(f"\nfinished: engine {grown(before)}, receipts {total}")
    assert grown(before) == total


def test_several_choices_and_many_at_once_agree_exactly(called: Called, capsys: Any) -> None:
    before = counters()

    async def main() -> None:
        async with openai.AsyncOpenAI(**called.options) as client:
            one = client.chat.completions.create

            async def stream(number: int) -> None:
                async for _ in await one(**ask(number, n=1 + number % 2), stream=True):
                    pass

            await asyncio.gather(
                *(one(**ask(number, n=1 + number % 3)) for number in range(10, 22)),
                *(stream(number) for number in range(22, 34)),
            )

    asyncio.run(main())
    ours, told = sums(called.receipts(24)), grown(before)
    with capsys.disabled():
        print(f"\n24 at once, n 1 to 3: engine {told}, receipts {ours}")
    assert ours[:2] == told[:2]


def test_a_caller_who_did_not_ask_sees_no_usage_at_all(called: Called) -> None:
    with openai.OpenAI(**called.options) as client:
        for path, more in (
            ("/chat/completions", ask(4)),
            ("/chat/completions", ask(5, n=2)),
            ("/completions", {"model": "demo", "prompt": "Say hello", "max_tokens": 5}),
        ):
            raw = client.post(path, cast_to=str, body={**more, "stream": True})
            assert '"usage"' not in raw
            assert raw.endswith("data: [DONE]\n\n")
    assert all(r.output_tokens for r in called.receipts(3))


def test_the_engine_s_refusals_say_whose_fault(called: Called) -> None:
    with openai.OpenAI(**called.options, max_retries=0) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(**ask(1, temperature=-1))
        assert refused.value.code == "rejected_by_provider"
        with pytest.raises(openai.BadRequestError) as beyond:
            client.chat.completions.create(**ask(1) | {"max_tokens": 1_000_000})
        assert beyond.value.code == "context_length_exceeded"


def test_what_it_says_of_itself_is_read_while_it_works(house: House, called: Called) -> None:
    url = (house.layout.run / "control.url").read_text().strip()
    seen: dict[str, float] = {}

    async def watch() -> None:
        """The greatest of each series, for as long as two looks at the engine take."""
        for _ in range(100):
            with await asyncio.to_thread(urllib.request.urlopen, f"{url}/metrics") as answer:
                told = answer.read().decode()
            for name, value in re.findall(
                r"^tidegate_(engine_\w+)\{[^}]*\} (\S+)$", told, re.MULTILINE
            ):
                seen[name] = max(seen.get(name, 0.0), float(value))
            await asyncio.sleep(0.25)

    async def main() -> None:
        async with openai.AsyncOpenAI(**called.options) as client:

            async def one() -> None:
                while not watching.done():
                    await client.chat.completions.create(
                        **ask(7) | {"max_tokens": 800}, extra_body={"ignore_eos": True}
                    )

            watching = asyncio.create_task(watch())
            await asyncio.gather(watching, *(one() for _ in range(20)))

    asyncio.run(main())
    print("\n", {name: round(value, 3) for name, value in sorted(seen.items())})
    for spec in engine_metrics.SPECS.values():
        assert spec.name.removeprefix("tidegate_") in seen
    assert seen["engine_up"] == 1.0
    assert seen["engine_running"] > 1
    assert seen["engine_waiting"] > 0
    assert 0.5 < seen["engine_kv_cache_usage"] <= 1
    assert 0 < seen["engine_prefix_hits_ratio"] <= 1
    assert seen["engine_output_tokens_per_second"] > 0
