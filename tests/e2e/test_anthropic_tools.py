"""Anthropic's official client holds a conversation with tools with a real model on llama.cpp.

The model is `tool_engine`'s. What it answers is the model's own affair; that it calls the tool that
it must, with an input that fits the schema, and goes on from the result, is not.
"""

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import anthropic
import jsonschema_rs
import pytest
from tests.conftest import REPOSITORY
from tests.e2e import tool_engine
from tests.e2e.rig import House
from tests.e2e.test_anthropic_client import agrees, client_of
from tests.e2e.test_openai_client import Called

from tidegate.boot import local_model

pytestmark = pytest.mark.engine
PLAN = """\
providers:
  local: {{kind: llama_cpp, base_url: "{address}/v1", api_key: none}}
targets:
  small: {{provider: local, model: smollm2-135m, context_tokens: 8192, price: free}}
routes: {{demo: small}}
"""
WEATHER: Any = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "enum": ["Oslo", "Rome"]},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
}
TABLE: Any = {
    "name": "book_table",
    "description": "Books a table in a restaurant.",
    "input_schema": {
        "type": "object",
        "properties": {
            "people": {"type": "integer", "minimum": 1, "maximum": 9},
            "day": {"type": "string", "enum": ["monday", "tuesday"]},
            "where": {
                "type": "object",
                "properties": {"outside": {"type": "boolean"}},
                "required": ["outside"],
                "additionalProperties": False,
            },
        },
        "required": ["people", "day", "where"],
        "additionalProperties": False,
    },
}
QUESTION: Any = {"role": "user", "content": "What is the weather in Oslo?"}
FORCED = {"type": "any", "disable_parallel_tool_use": True}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    read_end, write_end = os.pipe()
    with subprocess.Popen(
        tool_engine.command(0, read_end),
        cwd=REPOSITORY,
        pass_fds=(read_end,),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as engine:
        os.close(read_end)
        try:
            assert engine.stdout is not None
            line = engine.stdout.readline()
            assert line.startswith(local_model.READY), line
            address = line.removeprefix(local_model.READY).strip()
            with House(tmp_path_factory.mktemp("tools"), PLAN.format(address=address)) as it:
                yield it
        finally:
            os.close(write_end)


@pytest.fixture
def called(house: House) -> Iterator[Called]:
    it = Called(house)
    yield it
    it.close()


def say(client: anthropic.Anthropic, streamed: bool, **more: Any) -> Any:
    ask: dict[str, Any] = {"model": "demo", "max_tokens": 60, "tools": [WEATHER, TABLE], **more}
    ask["extra_body"] = {"temperature": 0}  # newer models have none, and so has the client
    if not streamed:
        return client.messages.create(**ask)
    with client.messages.stream(**ask) as stream:
        return stream.get_final_message()


def call_in(message: Any, tool: Any) -> Any:
    """The only call, which is of this tool and fits its schema."""
    assert message.stop_reason == "tool_use"
    [call] = [block for block in message.content if block.type == "tool_use"]
    assert call.id
    assert call.name == tool["name"]
    jsonschema_rs.validate(tool["input_schema"], call.input)
    return call


@pytest.mark.parametrize("streamed", [False, True])
def test_the_model_calls_and_goes_on_from_the_result(called: Called, streamed: bool) -> None:
    with client_of(called) as client:
        first = say(client, streamed, messages=[QUESTION], tool_choice=FORCED)
        call = call_in(first, WEATHER)
        assert call.input["city"] == "Oslo"
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "rain, 7 degrees"}
        said = [block.model_dump(exclude_none=True) for block in first.content]
        told: Any = [
            QUESTION,
            {"role": "assistant", "content": said},
            {"role": "user", "content": [result]},
        ]
        second = say(client, streamed, messages=told)
    assert second.stop_reason in ("end_turn", "max_tokens")
    assert "".join(block.text for block in second.content if block.type == "text").strip()
    one, two = called.receipts(2)
    assert [one.finish_reason, one.stream, two.stream] == ["tool_calls", streamed, streamed]
    assert two.finish_reason in ("stop", "length")
    assert two.total_input_tokens is not None and two.dropped == []
    agrees(one, first.usage)
    agrees(two, second.usage)


def test_one_of_two_tools_is_named_and_its_schema_holds(called: Called) -> None:
    """llama.cpp takes no name in `tool_choice`: it is sent that tool alone."""
    ask: Any = [{"role": "user", "content": "A table for four on monday, please, not outside."}]
    with client_of(called) as client:
        named = {"type": "tool", "name": "book_table", "disable_parallel_tool_use": True}
        message = say(client, True, messages=ask, tool_choice=named)
    assert call_in(message, TABLE).input["day"] in ("monday", "tuesday")
    agrees(called.receipts(1)[0], message.usage)
