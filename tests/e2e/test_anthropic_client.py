"""Anthropic's official client against the whole house, whose targets speak OpenAI's wire: `sim`
and, where its wheels are installed, a real model on llama.cpp."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from tests.e2e.rig import House
from tests.e2e.test_openai_client import Called, real, simulated

from tidegate.core.receipt import Receipt

__all__ = ["real", "simulated"]

QUESTION: Any = [{"role": "user", "content": "What is the weather in Oslo?"}]
TOOL: Any = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
FORCED: Any = {"type": "tool", "name": "weather"}


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


def client_of(called: Called, **options: Any) -> anthropic.Anthropic:
    told = called.options
    url = told["base_url"].removesuffix("/v1")
    return anthropic.Anthropic(
        base_url=url, api_key=told["api_key"], timeout=told["timeout"], **options
    )


def agrees(receipt: Receipt, usage: Any) -> None:
    """The receipt's tokens are those that the client was told."""
    assert receipt.dialect == "anthropic_messages"
    assert not receipt.tokens_estimated
    assert receipt.input_tokens == usage.input_tokens
    assert (receipt.cache_read_tokens or 0) == (usage.cache_read_input_tokens or 0)
    assert (receipt.output_tokens or 0) + (receipt.reasoning_tokens or 0) == usage.output_tokens
    assert receipt.cost_nanousd == 0


def test_a_whole_answer(called: Called) -> None:
    with client_of(called) as client:
        raw = client.messages.with_raw_response.create(
            model="demo", max_tokens=12, system="Be short.", messages=QUESTION
        )
    message = raw.parse()
    assert message.type == "message"
    assert message.content[0].type == "text"
    assert message.stop_reason in ("end_turn", "max_tokens")
    [receipt] = called.receipts(1)
    assert raw.headers["request-id"] == receipt.id
    agrees(receipt, message.usage)


def test_a_stream(called: Called) -> None:
    with (
        client_of(called) as client,
        client.messages.stream(model="demo", max_tokens=12, messages=QUESTION) as stream,
    ):
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert text == "".join(block.text for block in message.content if block.type == "text")
    [receipt] = called.receipts(1)
    assert receipt.stream
    assert receipt.content_chunks > 0
    agrees(receipt, message.usage)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_conversation_with_a_tool(sim: Called, streamed: bool) -> None:
    """The model calls the tool, is told its result, and answers."""
    ask: dict[str, Any] = {"model": "demo", "max_tokens": 60, "tools": [TOOL]}
    with client_of(sim) as client:
        first = _said(client, streamed, **ask, messages=QUESTION, tool_choice=FORCED)
        calls = [block for block in first.content if block.type == "tool_use"]
        assert [call.name for call in calls] == ["weather"]
        assert isinstance(calls[0].input, dict)
        result = {"type": "tool_result", "tool_use_id": calls[0].id, "content": "rain, 7 degrees"}
        going_on: list[Any] = [
            *QUESTION,
            {"role": "assistant", "content": [block.model_dump() for block in first.content]},
            {"role": "user", "content": [result]},
        ]
        second = _said(client, streamed, **ask, messages=going_on, tool_choice={"type": "none"})
    assert [block.type for block in second.content] == ["text"]
    one, two = sim.receipts(2)
    assert one.finish_reason in ("tool_calls", "length")
    agrees(one, first.usage)
    agrees(two, second.usage)


def _said(client: anthropic.Anthropic, streamed: bool, **ask: Any) -> Any:
    if not streamed:
        return client.messages.create(**ask)
    with client.messages.stream(**ask) as stream:
        return stream.get_final_message()


def test_tokens_are_counted_at_no_cost(called: Called) -> None:
    with client_of(called) as client:
        few = client.messages.count_tokens(model="demo", messages=QUESTION)
        many = client.messages.count_tokens(model="demo", messages=QUESTION, system="x " * 500)
    assert 0 < few.input_tokens < 100 < many.input_tokens


def test_errors_are_the_client_s_own(sim: Called) -> None:
    with client_of(sim, max_retries=0) as client:
        ask: dict[str, Any] = {"max_tokens": 12, "messages": QUESTION}
        with pytest.raises(anthropic.NotFoundError):
            client.messages.create(model="nobody", **ask)
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(model="wrong", **ask)
        with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
            client.messages.create(model="demo", **{**ask, "max_tokens": -1})
        with pytest.raises(anthropic.BadRequestError, match="container"):
            client.messages.create(model="demo", **ask, extra_body={"container": "c-1"})
        stranger = client.with_options(api_key="sk-tg-none_none")
        with pytest.raises(anthropic.AuthenticationError):
            stranger.messages.create(model="demo", **ask)


@pytest.mark.parametrize("route", ["limited", "broken"])
def test_the_client_s_own_retry_succeeds(sim: Called, route: str) -> None:
    with client_of(sim, max_retries=2) as client:
        message = client.messages.create(model=route, max_tokens=12, messages=QUESTION)
    assert message.content
    first, second = sim.receipts(2)
    assert (first.status, second.status) == ({"limited": 429, "broken": 502}[route], 200)
