"""llama.cpp's own counters beside our receipts: the same on finished requests, close on cut ones.

`llamacpp:prompt_tokens_total` counts prompt tokens that were computed, so those taken from the
slot's cache (our `cache_read_tokens`) are not in it; `llamacpp:tokens_predicted_total` counts what
was generated, also of an answer that nobody read to its end. Both are compared as what they grew
by while only our requests ran, once the engine is idle again.
"""

import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import msgspec
import openai
import pytest
from tests.e2e.rig import House
from tests.e2e.test_openai_client import Called

from tidegate.core.plan import Plan
from tidegate.core.receipt import Receipt

pytestmark = pytest.mark.engine
CUT_AFTER = 120
REQUESTS = 3
READ_S = 60.0  # an engine that was not there yet is asked again after 10 s


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("counters"), None) as house:
        yield house


@pytest.fixture
def called(house: House) -> Iterator[Called]:
    it = Called(house)
    yield it
    it.close()


def counters(house: House) -> tuple[int, int]:
    """(prompt tokens computed, tokens predicted) of the engine, once it is idle."""
    plan = msgspec.msgpack.decode(house.layout.plan.read_bytes(), type=Plan)
    replica = plan.routes["demo"].release.target.replicas[0]
    while True:
        url = f"http://{replica.host}:{replica.port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            told = answer.read().decode()
        found = dict(re.findall(r"^llamacpp:(\w+) (\S+)$", told, re.MULTILINE))
        if float(found["requests_processing"]) == 0:
            return int(float(found["prompt_tokens_total"])), int(
                float(found["tokens_predicted_total"])
            )


def question(number: int) -> Any:
    text = f"Number {number}: " + f"count from {number} to a thousand, please. " * 3
    return [{"role": "user", "content": text}]


def sums(receipts: list[Receipt]) -> tuple[int, int]:
    computed = sum(r.input_tokens or 0 for r in receipts)
    return computed, sum((r.output_tokens or 0) + (r.reasoning_tokens or 0) for r in receipts)


def test_finished_requests_agree_exactly(called: Called) -> None:
    before = counters(called.house)
    with openai.OpenAI(**called.options) as client:
        for number in range(REQUESTS):
            ask: dict[str, Any] = {"model": "demo", "messages": question(number), "max_tokens": 24}
            answer = client.chat.completions.create(**ask, stream=number % 2 == 0)
            if number % 2 == 0:
                list(answer)
    receipts = called.receipts(REQUESTS)
    after = counters(called.house)
    assert (after[0] - before[0], after[1] - before[1]) == sums(receipts)
    assert not any(r.tokens_estimated for r in receipts)


def test_streams_that_were_cut_agree_within_two_percent(called: Called) -> None:
    before = counters(called.house)
    with openai.OpenAI(**called.options) as client:
        for number in range(REQUESTS):
            stream = client.chat.completions.create(
                model="demo",
                messages=question(100 + number),
                max_tokens=1000,
                stream=True,
                extra_body={"ignore_eos": True},
            )
            for count, _ in enumerate(stream):
                if count == CUT_AFTER:
                    break
            stream.close()
    receipts = called.receipts(REQUESTS)
    after = counters(called.house)
    assert {r.cancelled_by for r in receipts} == {"client"}
    told, ours = (after[0] - before[0], after[1] - before[1]), sums(receipts)
    print(f"engine: {told}, receipts: {ours}")
    assert ours == pytest.approx(told, rel=0.02)


def test_control_reads_what_the_engine_says(house: House) -> None:
    url = (house.layout.run / "control.url").read_text().strip()
    wanted = 'tidegate_engine_waiting{replica="127.0.0.1:', "} 0.0"
    deadline_s = time.monotonic() + READ_S
    told = ""
    while not all(part in told for part in wanted) and time.monotonic() < deadline_s:
        with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
            told = answer.read().decode()
        time.sleep(0.1)
    lines = [line for line in told.splitlines() if line.startswith("tidegate_engine_")]
    assert any('alias="llamacpp:requests_deferred"' in line for line in lines), lines
    assert not any("kv_cache_usage" in line for line in lines), "llama.cpp does not tell of it"
