import msgspec
import pytest
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.gateway import asked_tools
from tidegate.gateway.asked_tools import AskedTools

NUMBER = {"type": "object", "properties": {"a": {"type": "number"}}}
NESTED = {"type": "function", "parameters": NUMBER}


def ask(**members: object) -> Ask:
    return Ask("chat", b"", {k: Raw(msgspec.json.encode(v)) for k, v in members.items()}, "m")


@pytest.mark.parametrize(
    "asked",
    [
        ask(tools=[{"type": "function", "function": {"name": "add", "parameters": NUMBER}}]),
        ask(tools=[{"type": "function", "name": "add", "parameters": NUMBER}]),
        ask(tools=[{"name": "add", "input_schema": NUMBER}]),
        ask(tools=[{"type": "custom", "name": "add", "input_schema": NUMBER}]),
        ask(tools=[{"type": "namespace", "name": "n", "tools": [{"name": "add"} | NESTED]}]),
        ask(tools=[{"name": 7}, 5, {"function": "add"}, {"name": "add", "parameters": NUMBER}]),
        ask(functions=[{"name": "add", "parameters": NUMBER}]),
    ],
)
def test_a_tool_is_known_in_every_dialects_shape(asked):
    known, schema = AskedTools().schema(asked, "add")
    assert known and schema is not None
    assert schema.violation({"a": "1"}) is not None
    assert AskedTools().schema(asked, "sub") == (False, None)


@pytest.mark.parametrize(
    "tool",
    [
        {"function": {"name": "now"}},
        {"type": "function", "name": "now", "parameters": None},
        {"type": "bash_20250124", "name": "now"},
    ],
)
def test_a_tool_without_a_schema_takes_an_object(tool):
    known, schema = AskedTools().schema(ask(tools=[tool]), "now")
    assert known and schema is not None
    assert schema.violation([]) is not None
    assert schema.violation({}) is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "strin"},
        {"$ref": "http://127.0.0.1/x"},
        {"anyOf": [{"properties": {"a": {"$ref": "#"}}}] * 2},
        {"description": "x" * 70_000},
    ],
)
def test_a_strangers_schema_that_cannot_be_used_is_passed_over(parameters):
    asked = ask(tools=[{"function": {"name": "f", "parameters": parameters}}])
    assert AskedTools().schema(asked, "f") == (True, None)


def test_what_is_no_list_of_tools_brings_none():
    assert AskedTools().schema(ask(tools="x", functions=[1]), "f") == (False, None)
    assert AskedTools().schema(ask(), "f") == (False, None)


def test_what_a_kept_prompt_brings_is_not_known_here():
    kept = ask(prompt={"id": "pmpt_1"}, tools=[{"name": "f", "parameters": NUMBER}])
    kept.dialect = "openai_responses"
    assert AskedTools().schema(kept, "g") == (True, None)
    assert AskedTools().schema(kept, "f")[1] is not None


def test_schemas_are_compiled_once_and_the_oldest_are_forgotten(monkeypatch):
    compiled = []
    made = asked_tools.Schema
    monkeypatch.setattr(asked_tools, "MAX_KEPT", 2)
    monkeypatch.setattr(asked_tools, "Schema", lambda text: compiled.append(text) or made(text))
    tools = AskedTools()
    asked = ask(
        tools=[{"name": n, "parameters": {"type": "object", "title": n}} for n in ("a", "b", "c")]
    )
    for name in ("a", "b", "a", "c", "a", "b"):
        assert tools.schema(asked, name)[0]
    assert [msgspec.json.decode(text)["title"] for text in compiled] == ["a", "b", "c", "b"]
