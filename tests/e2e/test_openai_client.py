"""The official client against the whole house: no change but base URL and key.

The same calls go to `sim` and, where its wheels are installed, to a real model on llama.cpp. What
a receipt says of a finished request must be what the engine itself said of it.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest
from tests.e2e.rig import House

from tidegate.control.shapes import ReceiptPage
from tidegate.core import clock
from tidegate.core.receipt import Receipt

QUESTION: Any = [{"role": "user", "content": "Say hello in three words."}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {"name": "now", "description": "the time", "parameters": {"type": "object"}},
    }
]
PLAN = """\
providers:
  sim: {{kind: sim, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets:
  demo: {{provider: sim, model: demo, price: free}}
  limited: {{provider: sim, model: limited, price: free}}
  broken: {{provider: sim, model: broken, price: free}}
  wrong: {{provider: sim, model: wrong, price: free}}
  slow: {{provider: sim, model: slow, price: free}}
routes:
  demo: demo
  limited: {{target: limited, retry: {{attempts: 1}}}}
  broken: {{target: broken, retry: {{attempts: 1}}}}
  wrong: wrong
  slow: slow
  kept: {{target: demo, cache: {{exact: {{deterministic: any}}}}}}
"""
FAULTS = (
    "status:429 retry_after=0 times=1 model=limited",
    "status:500 times=1 model=broken",
    "status:400 model=wrong",
    "stall:30 after=0 model=slow",
)


class Time(pydantic.BaseModel):
    hour: int


class Called:
    """A house, a key, and what its ledger says."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.options: dict[str, Any] = {
            "base_url": f"{house.url}/v1",
            "api_key": house.key(),
            "timeout": 60,
        }
        control = house.control()
        self._control = control
        self._cursor = control.get("/api/receipts", ReceiptPage, limit=1).cursor
        self._since_s = clock.wall_s()

    def receipts(self, count: int) -> list[Receipt]:
        """The next `count` receipts of the ledger, but for those of requests before this one's,
        which the recorder may not have stored yet."""
        found: list[Receipt] = []
        while len(found) < count:
            page = self._control.get("/api/receipts", ReceiptPage, after=self._cursor, wait_s=5)
            assert page.receipts, f"{len(found)} of {count} receipts came"
            found += [it for it in page.receipts if it.started_at_s >= self._since_s]
            self._cursor = page.cursor
        assert len(found) == count
        return found

    def close(self) -> None:
        self._control.close()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    models = [a for m in ("demo", "limited", "broken", "wrong", "slow") for a in ("--model", m)]
    faults = [a for line in FAULTS for a in ("--fault", line)]
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "tidegate.sim", "serve", "--port", "0"),
            *("--profile", "instant", "--output-tokens", "12", *models, *faults),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as sim:
        assert sim.stdout is not None
        ready = re.match(r"ready http://.*:(\d+)", sim.stdout.readline())
        assert ready
        folder = tmp_path_factory.mktemp("sim")
        with House(folder, PLAN.format(port=ready[1])) as house:
            yield house
        sim.terminate()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("real"), None) as house:
        yield house


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.engine)])
def called(request: pytest.FixtureRequest) -> Iterator[Called]:
    it = Called(request.getfixturevalue(request.param))
    yield it
    it.close()


@pytest.fixture
def sim(simulated: House) -> Iterator[Called]:
    it = Called(simulated)
    yield it
    it.close()


def agrees(receipt: Receipt, usage: Any) -> None:
    """The receipt's tokens are the engine's own."""
    assert not receipt.tokens_estimated
    assert receipt.total_input_tokens == usage.prompt_tokens
    assert (receipt.output_tokens or 0) + (receipt.reasoning_tokens or 0) == usage.completion_tokens
    assert receipt.cost_nanousd == 0
    assert receipt.error_code is None


def test_a_plain_call(called: Called) -> None:
    with openai.OpenAI(**called.options) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="demo", messages=QUESTION, max_tokens=12
        )
    answer = raw.parse()
    assert answer.choices[0].message.content
    [receipt] = called.receipts(1)
    assert raw.headers["x-request-id"] == receipt.id
    agrees(receipt, answer.usage)


def test_a_stream_with_and_without_usage(called: Called) -> None:
    ask: dict[str, Any] = {"model": "demo", "messages": QUESTION, "max_tokens": 12, "stream": True}
    with openai.OpenAI(**called.options) as client:
        plain = list(client.chat.completions.create(**ask))
        asked = list(client.chat.completions.create(**ask, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in plain)
    assert all(chunk.usage is None for chunk in plain)
    first, second = called.receipts(2)
    agrees(second, asked[-1].usage)
    assert not first.tokens_estimated
    assert first.ttft_s is not None
    assert first.finish_reason == plain[-1].choices[0].finish_reason


def test_an_answer_that_is_given_again_reads_as_the_first(sim: Called) -> None:
    ask: dict[str, Any] = {"model": "kept", "messages": QUESTION}
    with openai.OpenAI(**sim.options) as client:
        made = client.chat.completions.create(**ask)
        raw = client.chat.completions.with_raw_response.create(**ask)
        with client.chat.completions.stream(**ask, stream_options={"include_usage": True}) as told:
            whole = told.get_final_completion()
        asked: dict[str, Any] = {"model": "kept", "input": "Say hello.", "store": False}
        first = client.responses.create(**asked)
        with client.responses.stream(**asked) as events:
            again = events.get_final_response()
    assert raw.parse() == made
    assert raw.headers["x-tidegate-cache"] == "hit"
    assert whole.choices[0].message.content == made.choices[0].message.content
    assert whole.choices[0].finish_reason == made.choices[0].finish_reason == "stop"
    assert whole.usage == made.usage
    assert (again.output_text, again.usage) == (first.output_text, first.usage)
    receipts = sim.receipts(5)
    assert [it.cache for it in receipts] == ["miss", "hit", "hit", "miss", "hit"]
    assert [it.cache_from for it in receipts[1:3]] == [receipts[0].id] * 2
    assert all(it.cost_nanousd == 0 and it.is_kept_answer for it in receipts[1:3])


def test_twenty_at_once_by_the_async_client(called: Called) -> None:
    async def main() -> list[Any]:
        async with openai.AsyncOpenAI(**called.options) as client:
            return await asyncio.gather(
                *(
                    client.chat.completions.create(model="demo", messages=QUESTION, max_tokens=4)
                    for _ in range(20)
                )
            )

    answers = asyncio.run(main())
    receipts = called.receipts(20)
    told = (
        sum(a.usage.prompt_tokens for a in answers),
        sum(a.usage.completion_tokens for a in answers),
    )
    assert told == (
        sum(r.total_input_tokens or 0 for r in receipts),
        sum(r.output_tokens or 0 for r in receipts),
    )


def test_the_models_are_the_routes(called: Called) -> None:
    with openai.OpenAI(**called.options) as client:
        assert "demo" in [model.id for model in client.models.list()]
        assert client.models.retrieve("demo").id == "demo"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("nobody")


def test_several_choices_and_text_completions(sim: Called) -> None:
    with openai.OpenAI(**sim.options) as client:
        answer = client.chat.completions.create(model="demo", messages=QUESTION, n=3)
        assert len(answer.choices) == 3
        stream = client.chat.completions.create(model="demo", messages=QUESTION, n=2, stream=True)
        assert {c.choices[0].index for c in stream if c.choices} == {0, 1}
        assert client.completions.create(model="demo", prompt="hello").choices[0].text
    receipts = sim.receipts(3)
    assert [r.choices for r in receipts] == [3, 2, 1]
    agrees(receipts[0], answer.usage)


def test_tools(sim: Called) -> None:
    with openai.OpenAI(**sim.options) as client:
        ask: dict[str, Any] = {"model": "demo", "messages": QUESTION, "tools": TOOLS}
        choice = {"type": "function", "function": {"name": "now"}}
        whole = client.chat.completions.create(**ask, tool_choice=choice)
        calls = whole.choices[0].message.tool_calls
        assert calls
        assert calls[0].function.name == "now"
        chunks = list(client.chat.completions.create(**ask, tool_choice=choice, stream=True))
        assert any(c.choices and c.choices[0].delta.tool_calls for c in chunks)
    assert [r.finish_reason for r in sim.receipts(2)] == ["tool_calls", "tool_calls"]


def test_responses_whole_and_streamed(called: Called) -> None:
    ask: dict[str, Any] = {"model": "demo", "input": "Say hello.", "max_output_tokens": 12}
    with openai.OpenAI(**called.options) as client:
        whole = client.responses.create(**ask, instructions="Be short.", store=False)
        events: list[Any] = list(client.responses.create(**ask, stream=True))
    streamed = events[-1].response
    assert whole.output_text and streamed.output_text
    assert [event.sequence_number for event in events] == list(range(len(events)))
    for receipt, answer in zip(called.receipts(2), (whole, streamed), strict=True):
        assert answer.usage is not None
        assert not receipt.tokens_estimated
        assert receipt.total_input_tokens == answer.usage.input_tokens
        assert receipt.output_tokens == answer.usage.output_tokens
        assert (receipt.dialect, receipt.error_code) == ("openai_responses", None)
        assert answer.id == f"resp_{receipt.id}"


def test_responses_with_tools_and_of_a_form(sim: Called) -> None:
    tool = {"type": "function", "name": "now", "parameters": {"type": "object"}, "strict": False}
    ask: dict[str, Any] = {"model": "demo", "input": "What time is it?", "tools": [tool]}
    choice = {"type": "function", "name": "now"}
    with openai.OpenAI(**sim.options) as client:
        called = client.responses.create(**ask, tool_choice=choice)
        [call] = called.output
        assert call.type == "function_call"
        assert call.name == "now" and call.arguments
        formed = client.responses.parse(model="demo", input="When?", text_format=Time)
        assert formed.output_parsed is not None
    assert [r.finish_reason for r in sim.receipts(2)] == ["tool_calls", "stop"]


def test_embeddings_as_numbers_and_as_base64(sim: Called) -> None:
    with openai.OpenAI(**sim.options) as client:
        packed = client.embeddings.create(model="demo", input=["a", "b"])
        plain = client.embeddings.create(model="demo", input=["a", "b"], encoding_format="float")
    assert len(packed.data) == len(plain.data) == 2
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, rel=1e-5)
    for receipt in sim.receipts(2):
        assert receipt.input_tokens == plain.usage.prompt_tokens
        assert receipt.output_tokens is None


@pytest.mark.parametrize("route", ["limited", "broken"])
def test_the_client_s_own_retry_succeeds(sim: Called, route: str) -> None:
    with openai.OpenAI(**sim.options, max_retries=2) as client:
        answer = client.chat.completions.create(model=route, messages=QUESTION)
    assert answer.choices[0].message.content
    first, second = sim.receipts(2)
    assert (first.status, second.status) == ({"limited": 429, "broken": 502}[route], 200)
    assert (first.retry_count, second.retry_count) == (0, 1)
    assert first.cost_nanousd == 0


def test_what_must_not_be_retried_is_asked_once(sim: Called) -> None:
    with openai.OpenAI(**sim.options, max_retries=2) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="wrong", messages=QUESTION)
        assert refused.value.code == "rejected_by_provider"
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model="nobody", messages=QUESTION)
        assert missing.value.code == "model_not_found"
    assert [r.status for r in sim.receipts(2)] == [400, 404]


def test_the_client_s_time_runs_out(sim: Called) -> None:
    options = {**sim.options, "timeout": 0.5}
    with openai.OpenAI(**options, max_retries=0) as client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="slow", messages=QUESTION, stream=True)
    [receipt] = sim.receipts(1)
    assert receipt.cancelled_by == "client"
