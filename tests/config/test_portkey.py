"""Portkey's configs: strategies as routes, and every key carried or told of."""

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

OPENAI = {"provider": "openai", "api_key": "sk-literal", "override_params": {"model": "gpt-4o"}}
CLAUDE = {"virtual_key": "anthropic", "override_params": {"model": "claude-haiku-4-5"}}
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


def test_what_goes_by_conditions_is_left_and_named(tmp_path: Path) -> None:
    value = {
        "strategy": {
            "mode": "conditional",
            "conditions": [{"query": {"metadata.plan": {"$eq": "paid"}}, "then": "a"}],
            "default": "b",
        },
        "targets": [{**OPENAI, "name": "a"}, {**CLAUDE, "name": "b"}],
    }
    one = convert(tmp_path, value)
    assert "routes" not in (draft(one) or {})
    assert left(one) >= {"strategy.mode: conditional", "strategy.conditions", "the whole config"}


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
