"""What LiteLLM is told of itself: budgets, caches, callbacks, bounds."""

from pathlib import Path

import pytest
from tests.config.litellm_rig import compiled, convert, converted, draft

ONE = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o-mini}}]\n"


def test_bounds_and_budgets_of_everything_are_declared() -> None:
    plan = draft(convert("everything.yaml"))
    assert plan["budgets"] == {"everything": {"amount": "1000", "per": "month"}}
    assert plan["limits"]["everything-at-once"] == {"kind": "concurrency", "amount": 500}
    assert plan["gateway"] == {"http": {"max_body_bytes": "16MiB"}}
    assert plan["control"] == {"litellm_metric_names": True}


@pytest.mark.parametrize(
    ("strategy", "balance", "fate"),
    [
        ("simple-shuffle", "weighted", "carried"),
        ("least-busy", "least_in_flight", "carried"),
        ("cost-based-routing", "cheapest", "carried"),
        ("usage-based-routing-v2", None, "changed"),
    ],
)
def test_a_strategy_is_a_balance(
    tmp_path: Path, strategy: str, balance: str | None, fate: str
) -> None:
    two = ONE.replace("]\n", ", {model_name: a, litellm_params: {model: openai/gpt-4o}}]\n")
    one = converted(tmp_path, f"{two}router_settings: {{routing_strategy: {strategy}}}")
    assert draft(one)["routes"]["a"].get("balance") == balance
    assert [it.fate for it in one.findings if "routing_strategy" in it.theirs] == [fate]
    assert compiled(one.plan).problems == ()


def test_a_semantic_cache_is_left(tmp_path: Path) -> None:
    text = (
        f"{ONE}litellm_settings: {{cache: true, cache_params: {{type: redis-semantic, ttl: -1}}}}"
    )
    one = converted(tmp_path, text)
    assert draft(one)["routes"]["a"]["cache"] == {"exact": {}}
    assert any("cache_params.type" in it.theirs and it.fate == "left" for it in one.findings)


def test_what_a_cache_keeps_here_is_told_and_so_is_a_day_at_most(tmp_path: Path) -> None:
    text = "litellm_settings: {cache: true, cache_params: {ttl: 10368000}}"
    models = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n"
    one = converted(tmp_path, models + text)
    told = {it.theirs: it for it in one.findings}
    assert "deterministic: any" in told["litellm_settings.cache"].said
    assert told["litellm_settings.cache_params.ttl"].fate == "changed"
    assert draft(one)["routes"]["a"]["cache"]["exact"]["ttl"] == 86_400.0


def test_each_callback_is_named(tmp_path: Path) -> None:
    one = converted(tmp_path, f"{ONE}litellm_settings: {{success_callback: [langfuse, s3]}}")
    left = {it.theirs for it in one.findings if it.fate == "left"}
    assert left == {
        "litellm_settings.success_callback: langfuse",
        "litellm_settings.success_callback: s3",
    }


def test_the_settings_of_a_callback_are_not_told(tmp_path: Path) -> None:
    text = f"{ONE}litellm_settings: {{callbacks: [{{langfuse: {{secret_key: hunter2}}}}]}}"
    one = converted(tmp_path, text)
    assert "hunter2" not in one.plan
    assert "litellm_settings.callbacks: one with settings" in {it.theirs for it in one.findings}


def test_a_fallback_with_parameters_of_its_own_is_named(tmp_path: Path) -> None:
    text = f"{ONE}router_settings: {{fallbacks: [{{a: [{{model: b, messages: []}}]}}]}}"
    one = converted(tmp_path, text)
    assert "router_settings.fallbacks with parameters" in {it.theirs for it in one.findings}


@pytest.mark.parametrize(
    "settings",
    [
        "litellm_settings: {cache: true, cache_params: {ttl: 100000000}}",
        "litellm_settings: {max_budget: 1.0e-12, budget_duration: weird}",
        "litellm_settings: {max_budget: 5, budget_duration: 2mo}",
        "litellm_settings: {max_budget: 5, budget_duration: 2w}",
        "litellm_settings: {max_budget: 5, budget_duration: 24mo}",
        "litellm_settings: {max_budget: 5, budget_duration: 999999d}",
        "general_settings: {max_request_size_mb: 0.2}",
        "router_settings: {cooldown_time: 0.0001, allowed_fails: 1000000, retry_after: 9999}",
        "router_settings: {timeout: 1}",
        "router_settings: {model_group_alias: {x y: a, '': a}}",
    ],
)
def test_whatever_is_odd_leaves_a_plan_that_may_be_served(tmp_path: Path, settings: str) -> None:
    one = converted(tmp_path, f"{ONE}{settings}")
    assert compiled(one.plan).problems == (), one.plan
