"""Versions are made ready once, and what cannot be is refused before it serves."""

import msgspec
import pytest
from tests.gateway.with_prompt import NAME, tagged, version

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES
from tidegate.core.outcome import Refusal
from tidegate.core.prompt import RoutePrompt, Turn
from tidegate.core.receipt import OPENAI_CHAT
from tidegate.gateway.prompt_versions import Asked, PromptVersion, PromptVersions


def test_a_version_is_made_ready_once_and_forgotten_with_its_plan() -> None:
    versions, one, two = PromptVersions(), version("v1"), version("v2")
    first = versions.of_route(RoutePrompt(NAME), {NAME: tagged(one)})
    again = versions.of_route(RoutePrompt(NAME), {NAME: tagged(one, two)})
    assert first is not None and again is not None
    assert first.usual is again.usual
    versions.keep({NAME: tagged(two)})
    assert versions.of(one) is not first.usual


def test_only_tags_that_the_route_allows_can_be_asked_for() -> None:
    known = {
        NAME: tagged(
            version("v1"), version("v2"), version("v3"), stable="v1", canary="v2", old="v3"
        )
    }
    found = PromptVersions().of_route(RoutePrompt(NAME, allowed=("canary",)), known)
    assert found is not None
    assert sorted(found.tags) == ["canary", "stable"]
    assert found.chosen(Asked(tag="canary")).prompt.version == "v2"
    assert found.chosen(Asked(version="v2")).prompt.version == "v2"
    assert found.chosen(Asked()).prompt.version == "v1"


@pytest.mark.parametrize(
    "broken",
    [
        version("v1", Turn("system", "{% if %}")),
        version("v1", tools='[{"type": "function", "function": {}}]'),
    ],
)
def test_what_cannot_be_made_ready_is_a_value_error(broken: object) -> None:
    with pytest.raises(ValueError, match=r"support@v1|tools"):
        PromptVersion(broken)  # type: ignore[arg-type]


@pytest.mark.parametrize("known", [{}, {NAME: tagged(version("v1"), beta="v1")}])
def test_a_plan_without_the_version_of_a_route_is_refused(known: object) -> None:
    with pytest.raises(ValueError, match="the plan has no"):
        PromptVersions().of_route(RoutePrompt(NAME), known)  # type: ignore[arg-type]


def test_tools_are_there_in_every_wire() -> None:
    text = '[{"type":"function","function":{"name":"look","description":"d","parameters":{"a":1}}}]'
    tools = PromptVersion(version("v1", tools=text)).tools
    assert msgspec.json.decode(tools[ANTHROPIC_MESSAGES]) == [
        {"name": "look", "description": "d", "input_schema": {"a": 1}}
    ]
    assert msgspec.json.decode(tools[OPENAI_RESPONSES]) == [
        {
            "type": "function",
            "name": "look",
            "description": "d",
            "parameters": {"a": 1},
            "strict": False,
        }
    ]


def test_a_version_that_is_named_is_the_only_one_unless_tags_are_allowed() -> None:
    known = {NAME: tagged(version("v3"), version("v4"), stable="v3")}
    found = PromptVersions().of_route(RoutePrompt(NAME, version="v4"), known)
    assert found is not None
    assert found.chosen(Asked(version="v4")) is found.usual
    for asked in (Asked(tag="stable"), Asked(version="v3")):
        with pytest.raises(Refusal):
            found.chosen(asked)


def test_tools_that_are_no_functions_are_for_chats_alone() -> None:
    odd = '[{"type":"custom","custom":{"name":"c"}}]'
    assert PromptVersion(version("v3", tools=odd)).tools.keys() == {OPENAI_CHAT}
    strict = '[{"type":"function","function":{"name":"f"%s}}]'
    for said, of_responses in (("", False), (',"strict":true', True)):
        found = PromptVersion(version("v3", tools=strict % said)).tools
        [tool] = msgspec.json.decode(found[OPENAI_RESPONSES])
        assert tool["strict"] is of_responses, "Responses is strict by itself, chats are not"
