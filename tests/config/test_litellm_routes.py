"""Model groups as routes: weights, order, fallbacks by what went wrong, retries."""

from pathlib import Path
from typing import Any

import pytest
from tests.config.litellm_rig import compiled, convert, converted, draft

TWO = """
model_list:
- {{model_name: a, litellm_params: {{model: openai/one{first}}}}}
- {{model_name: a, litellm_params: {{model: openai/two{second}}}}}
{more}
"""


def route(folder: Path, first: str = "", second: str = "", more: str = "") -> dict[str, Any]:
    found: dict[str, Any] = draft(
        converted(folder, TWO.format(first=first, second=second, more=more))
    )["routes"]["a"]
    return found


def test_everything_that_is_said_of_routes_is_on_them() -> None:
    routes = draft(convert("everything.yaml"))["routes"]
    assert list(routes) == ["small", "chat", "own", "claude-aws", "gpt-4"]
    assert routes["chat"] == {
        "targets": {"chat": 3.0, "chat-2": 1.0},
        "balance": "fastest",
        "fallbacks": {
            "unavailable": ["chat-3", "small"],
            "rate_limited": ["chat-3", "small"],
            "malformed": ["chat-3", "small"],
            "refused_by_safety": ["own"],
        },
        "retry": {"attempts": 3, "base_s": 1.0},
        "unsupported": "drop",
        "parameters": {"temperature": 0.2},
        "cache": {"exact": {"ttl": 600.0}},
    }
    assert routes["gpt-4"] == routes["chat"]
    assert routes["small"]["fallbacks"]["unavailable"] == ["own"]
    assert routes["small"]["fallbacks"]["overflow"] == ["claude-aws"]
    assert "unavailable" not in routes["own"].get("fallbacks", {})


def test_a_group_is_weighed_as_it_is_there(tmp_path: Path) -> None:
    assert route(tmp_path)["targets"] == {"a": 1, "a-2": 1}
    assert route(tmp_path, ", weight: 2", ", weight: 5")["targets"] == {"a": 2.0, "a-2": 5.0}
    assert route(tmp_path, ", rpm: 90", ", rpm: 10")["targets"] == {"a": 90, "a-2": 10}


@pytest.mark.parametrize("none", [", weight: 0", ""])
def test_one_without_a_weight_beside_others_gets_no_share(tmp_path: Path, none: str) -> None:
    found = route(tmp_path, ", weight: 2", none)
    assert (found["target"], found["fallbacks"]["unavailable"]) == ("a", ["a-2"])
    least_busy = "router_settings: {routing_strategy: least-busy}"
    assert route(tmp_path, ", weight: 2", none, least_busy)["targets"] == {"a": 2.0, "a-2": 1}


def test_a_higher_order_is_asked_when_the_lower_has_failed(tmp_path: Path) -> None:
    found = route(tmp_path, ", order: 1", ", order: 2")
    assert found["target"] == "a"
    assert found["fallbacks"]["unavailable"] == ["a-2"]


def test_a_fallback_to_itself_or_to_nothing_is_none(tmp_path: Path) -> None:
    more = "router_settings: {fallbacks: [{a: [a, none]}]}"
    one = converted(tmp_path, TWO.format(first="", second="", more=more))
    assert "fallbacks" not in draft(one)["routes"]["a"]
    assert any(it.theirs == "fallbacks: none" and it.fate == "left" for it in one.findings)


def test_fallbacks_of_no_route_are_named_and_an_alias_is_a_fallback(tmp_path: Path) -> None:
    more = """
- {model_name: b, litellm_params: {model: openai/gpt-4o}}
router_settings:
  model_group_alias: {also-b: b}
  fallbacks: [{a: [also-b]}, {by-wildcard: [b]}]
"""
    one = converted(tmp_path, TWO.format(first="", second="", more=more))
    assert draft(one)["routes"]["a"]["fallbacks"]["unavailable"] == ["b"]
    left = {it.theirs for it in one.findings if it.fate == "left"}
    assert "fallbacks of by-wildcard" in left


def test_fallbacks_that_are_no_list_are_left(tmp_path: Path) -> None:
    more = 'litellm_settings: {fallbacks: \'[{"a": ["b"]}]\', default_fallbacks: a}'
    one = converted(tmp_path, TWO.format(first="", second="", more=more))
    left = {it.theirs for it in one.findings if it.fate == "left"}
    assert left >= {"litellm_settings.fallbacks", "litellm_settings.default_fallbacks"}


def test_more_than_five_fallbacks_are_cut_and_that_is_told(tmp_path: Path) -> None:
    names = [f"b{number}" for number in range(7)]
    models = "\n".join(
        f"- {{model_name: {name}, litellm_params: {{model: openai/gpt-4o}}}}" for name in names
    )
    settings = f"router_settings: {{fallbacks: [{{a: [{', '.join(names)}]}}]}}"
    text = TWO.format(first="", second="", more=f"{models}\n{settings}")
    one = converted(tmp_path, text)
    assert draft(one)["routes"]["a"]["fallbacks"]["unavailable"] == names[:5]
    assert any(it.fate == "changed" and "fallbacks of a" in it.theirs for it in one.findings)
    assert compiled(one.plan).problems == ()


def test_parameters_that_differ_are_left(tmp_path: Path) -> None:
    one = converted(tmp_path, TWO.format(first=", temperature: 1", second="", more=""))
    assert "parameters" not in draft(one)["routes"]["a"]
    assert any("do not share" in it.theirs for it in one.findings)


def test_a_short_deadline_bounds_the_others(tmp_path: Path) -> None:
    text = TWO.format(
        first=", timeout: 5", second="", more="litellm_settings: {request_timeout: 20}"
    )
    targets = draft(converted(tmp_path, text))["targets"]
    assert targets["a"]["deadlines"] == {"total_s": 5.0, "first_token_s": 5.0, "gap_s": 5.0}
    assert targets["a-2"]["deadlines"] == {"total_s": 20.0, "first_token_s": 20.0, "gap_s": 20.0}
