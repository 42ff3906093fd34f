"""Portkey's configs: strategies as routes, and every key carried or told of."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.config.litellm_rig import compiled, draft, keys_of

from tidegate.config.portkey import convert_portkey
from tidegate.config.written_plan import Converted
from tidegate.core import plugs

OPENAI: dict[str, Any] = {
    "provider": "openai",
    "api_key": "sk-literal",
    "override_params": {"model": "gpt-4o"},
}
CLAUDE: dict[str, Any] = {
    "virtual_key": "anthropic",
    "override_params": {"model": "claude-haiku-4-5"},
}
VLLM = {
    "provider": "openai",
    "custom_host": "http://10.0.0.5:8000/v1",
    "override_params": {"model": "own"},
}


def convert(folder: Path, value: object) -> Converted:
    file = folder / "portkey.json"
    file.write_bytes(msgspec.json.encode(value))
    return convert_portkey(file, plugs.names("providers"), "chat")


def route(folder: Path, value: object) -> dict[str, Any]:
    one = convert(folder, value)
    assert compiled(one.plan).problems == (), one.plan
    found: dict[str, Any] = draft(one)["routes"]["chat"]
    return found


def left(one: Converted) -> set[str]:
    return {it.theirs for it in one.findings if it.fate == "left"}


def test_one_target_is_a_route_and_its_secret_is_a_file(tmp_path: Path) -> None:
    one = convert(tmp_path, {**OPENAI, "retry": {"attempts": 3}, "request_timeout": 10000})
    plan = draft(one)
    assert plan["routes"]["chat"] == {"target": "openai-gpt-4o", "retry": {"attempts": 4}}
    assert plan["targets"]["openai-gpt-4o"]["deadlines"] == {
        "total_s": 10.0,
        "first_token_s": 10.0,
        "gap_s": 10.0,
    }
    assert "sk-literal" not in one.plan
    assert list(one.secrets.values()) == ["sk-literal"]


def test_a_loadbalance_has_its_weights(tmp_path: Path) -> None:
    value = {
        "strategy": {"mode": "loadbalance"},
        "targets": [{**OPENAI, "weight": 0.7}, {**CLAUDE, "weight": 0.3}, {**VLLM, "weight": 0}],
    }
    assert route(tmp_path, value) == {
        "targets": {"openai-gpt-4o": 0.7, "anthropic-claude-haiku-4-5": 0.3}
    }


@pytest.mark.parametrize(
    "odd",
    [
        {"weight": 10**400},
        {"weight": 1e-300},
        {"weight": 1e300},
        {"request_timeout": 10**400},
        {"request_timeout": 0.0001},
        {"cache": {"mode": "simple", "max_age": 10**400}},
    ],
    ids=["long", "tiny", "huge", "for-ever", "at-once", "kept-for-ever"],
)
def test_a_number_that_is_odd_leaves_a_plan_that_may_be_served(
    tmp_path: Path, odd: dict[str, Any]
) -> None:
    file = tmp_path / "portkey.json"
    value = {"strategy": {"mode": "loadbalance"}, "targets": [{**OPENAI, **odd}, CLAUDE]}
    file.write_text(json.dumps(value))
    one = convert_portkey(file, plugs.names("providers"), "chat")
    assert compiled(one.plan).problems == (), one.plan


def test_a_fallback_is_asked_in_its_order(tmp_path: Path) -> None:
    value = {
        "strategy": {"mode": "fallback", "on_status_codes": [429]},
        "targets": [OPENAI, CLAUDE, VLLM],
        "cache": {"mode": "simple", "max_age": 60},
    }
    found = route(tmp_path, value)
    assert found["target"] == "openai-gpt-4o"
    assert found["fallbacks"]["unavailable"] == ["anthropic-claude-haiku-4-5", "openai-2-own"]
    assert found["cache"] == {"exact": {"ttl": 60.0}}
    assert "strategy.on_status_codes" in left(convert(tmp_path, value))


def test_a_strategy_within_another_shares_its_weight(tmp_path: Path) -> None:
    value = {
        "strategy": {"mode": "fallback"},
        "targets": [
            {"strategy": {"mode": "loadbalance"}, "targets": [OPENAI, CLAUDE]},
            VLLM,
        ],
    }
    found = route(tmp_path, value)
    assert found["targets"] == {"openai-gpt-4o": 1.0, "anthropic-claude-haiku-4-5": 1.0}
    assert found["fallbacks"]["unavailable"] == ["openai-2-own"]


def test_a_condition_is_a_route_that_applications_call_themselves(tmp_path: Path) -> None:
    """By the model it is carried whole; by anything else its target has a route of its own."""
    value = {
        "strategy": {
            "mode": "conditional",
            "conditions": [
                {"query": {"metadata.plan": {"$eq": "paid"}}, "then": "a"},
                {"query": {"params.model": {"$eq": "own-model"}}, "then": "c"},
                {"query": {"params.model": {"$in": ["x"]}}, "then": "nowhere"},
            ],
            "default": "b",
        },
        "targets": [{**OPENAI, "name": "a"}, {**CLAUDE, "name": "b"}, {**VLLM, "name": "c"}],
    }
    one = convert(tmp_path, value)
    assert compiled(one.plan).problems == ()
    assert draft(one)["routes"] == {
        "chat": {"target": "anthropic-claude-haiku-4-5"},
        "a": {"target": "openai-gpt-4o"},
        "own-model": {"target": "openai-2-own"},
    }
    fates = {it.theirs: (it.fate, it.ours) for it in one.findings}
    assert fates["strategy.conditions[0]"] == ("changed", "the route a")
    assert fates["strategy.conditions[1]"] == ("carried", "the route own-model")
    assert fates["strategy.conditions[2]"][0] == "left"


def test_conditions_within_another_strategy_are_named_and_their_default_asked(
    tmp_path: Path,
) -> None:
    inner = {
        "strategy": {"mode": "conditional", "conditions": [{"then": "a"}], "default": "a"},
        "targets": [{**CLAUDE, "name": "a"}, {**VLLM, "name": "b"}],
    }
    one = convert(tmp_path, {"strategy": {"mode": "fallback"}, "targets": [OPENAI, inner]})
    found = draft(one)["routes"]["chat"]
    assert found["fallbacks"]["unavailable"] == ["anthropic-claude-haiku-4-5"]
    assert "targets[1].strategy.conditions[0]" in left(one)


def test_what_each_target_says_of_itself_is_carried_where_all_say_it(tmp_path: Path) -> None:
    hot = {**CLAUDE, "override_params": {**CLAUDE["override_params"], "temperature": 1, "seed": 7}}
    cold = {**OPENAI, "override_params": {**OPENAI["override_params"], "temperature": 0}}
    cold |= {"retry": {"attempts": 1}, "cache": {"mode": "simple", "max_age": 9}}
    value = {
        "strategy": {"mode": "fallback"},
        "targets": [cold, hot],
        "override_params": {"top_p": 0.5, "seed": 7},
        "retry": {"attempts": 3},
    }
    one = convert(tmp_path, value)
    found = draft(one)["routes"]["chat"]
    assert found["parameters"] == {"top_p": 0.5, "seed": 7}
    assert "retry" not in found and "cache" not in found
    assert left(one) == {
        *("targets[0].override_params.temperature", "targets[1].override_params.temperature"),
        *("retry.attempts", "targets[0].retry.attempts"),
        *("targets[0].cache.mode", "targets[0].cache.max_age"),
    }
    same = {**cold, **CLAUDE, "cache": cold["cache"], "retry": cold["retry"]}
    same["override_params"] = {**CLAUDE["override_params"], "temperature": 0}
    alike = route(tmp_path, {"strategy": {"mode": "fallback"}, "targets": [cold, same]})
    assert alike["parameters"] == {"temperature": 0}
    assert (alike["retry"], alike["cache"]) == ({"attempts": 2}, {"exact": {"ttl": 9.0}})


def test_what_a_route_cannot_say_of_strategies_within_others_is_told(tmp_path: Path) -> None:
    shares = {
        "strategy": {"mode": "loadbalance"},
        "targets": [{**OPENAI, "weight": 3}, {**CLAUDE, "weight": 1}, {**VLLM, "weight": 0}],
    }
    one = convert(tmp_path, {"strategy": {"mode": "fallback"}, "targets": [VLLM, shares]})
    told = {it.theirs: it.said for it in one.findings if it.fate != "carried"}
    assert "have no shares" in told["targets[1].targets"]
    assert "its share is 0" in told["targets[1].targets[2]"]
    falls = {"strategy": {"mode": "fallback"}, "targets": [OPENAI, CLAUDE]}
    one = convert(tmp_path, {"strategy": {"mode": "loadbalance"}, "targets": [VLLM, falls]})
    told = {it.theirs: it.said for it in one.findings if it.fate == "changed"}
    assert "of the whole route" in told["targets[1].targets"]


def test_without_a_strategy_the_first_alone_is_asked(tmp_path: Path) -> None:
    one = convert(tmp_path, {"targets": [OPENAI, CLAUDE]})
    assert draft(one)["routes"]["chat"] == {"target": "openai-gpt-4o"}
    assert "targets[1].virtual_key" in left(one)


def test_a_target_without_a_model_is_left_and_named(tmp_path: Path) -> None:
    one = convert(tmp_path, {"provider": "openai", "api_key": "x"})
    assert "provider: openai" in left(one)


_KEYS = st.sampled_from(
    ["strategy", "mode", "targets", "provider", "weight", "retry", "cache", "override_params"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["fallback", "openai", ""]),
    lambda it: st.lists(it, max_size=3) | st.dictionaries(_KEYS, it, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _JSON, max_size=5))
@settings(max_examples=60)
def test_any_shape_is_read_without_a_fault(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, object]
) -> None:
    convert(tmp_path_factory.getbasetemp(), value)


def test_every_key_is_carried_or_told_of(tmp_path: Path) -> None:
    value = {
        "strategy": {"mode": "fallback", "on_status_codes": [500]},
        "retry": {"attempts": 2, "on_status_codes": [429]},
        "cache": {"mode": "simple", "max_age": 5},
        "request_timeout": 1000,
        "input_guardrails": ["g"],
        "targets": [{**OPENAI, "weight": 1, "forward_headers": ["x"]}, CLAUDE],
    }
    told = [it.theirs for it in convert(tmp_path, value).findings]
    names = {way.rpartition(".")[2] for way in keys_of(value)}
    unnamed = {name for name in names if not any(name in way for way in told)}
    assert unnamed <= {"strategy", "retry", "cache", "model", "weight"}


def test_a_virtual_key_and_an_integration_are_their_provider_s_by_their_names(
    tmp_path: Path,
) -> None:
    model = {"override_params": {"model": "gpt-4o"}}
    named = {"override_params": {"model": "@openai-prod/gpt-4o"}}
    for one in ({"virtual_key": "open-ai-1b2c", **model}, named):
        found = convert(tmp_path, one)
        [provider] = draft(found)["providers"].values()
        assert provider["kind"] == "openai"
        assert any("name alone" in it.said for it in found.findings)
    assert "provider: mine" in left(convert(tmp_path, {"virtual_key": "mine", **model}))
