"""Deployments as providers and targets: one account for those alike, what each is held to."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.config.litellm_rig import compiled, convert, converted, draft

from tidegate.config.litellm_headers import reference_of


def test_everything_of_a_deployment_is_on_its_target() -> None:
    plan = draft(convert("everything.yaml"))
    assert plan["providers"]["azure_openai"] == {
        "base_url": "https://acme.openai.azure.com",
        "api_key": "${AZURE_EU_KEY}",
        "headers": {"api-version": "2024-10-21"},
    }
    assert plan["targets"]["chat"] == {
        "provider": "azure_openai",
        "model": "gpt-4o-eu",
        "deadlines": {"total_s": 40.0, "first_token_s": 8.0},
        "queueing": {"max_in_flight": 32},
        "breaker": {"open_s": 30.0, "failures": 5},
        "context_tokens": 128000,
        "price": {
            "input_usd_per_mtok": 2.5,
            "output_usd_per_mtok": 10.0,
            "cache_read_usd_per_mtok": 1.25,
            "cache_write_usd_per_mtok": 3.0,
        },
    }
    assert plan["limits"]["chat.requests"] == {
        "kind": "requests",
        "amount": 600,
        "per": "minute",
        "only": {"target": "chat"},
    }
    assert plan["providers"]["openai"] == {"api_key": "${OPENAI_API_KEY}"}
    account = plan["providers"]["openai-2"]
    assert account["headers"] == {"OpenAI-Organization": "org-acme", "x-team": "acme"}
    assert account["api_key"].startswith("file:secrets/openai-")
    assert plan["providers"]["bedrock"]["base_url"] == (
        "https://bedrock-runtime.eu-central-1.amazonaws.com"
    )


def test_vertex_is_asked_as_the_machine_s_identity(tmp_path: Path) -> None:
    params = "{model: vertex_ai/gemini-3.8-flash, vertex_project: p, vertex_location: global}"
    text = f"model_list:\n- {{model_name: g, litellm_params: {params}}}"
    plan = draft(converted(tmp_path, text))
    [provider] = plan["providers"].values()
    assert provider["identity"] == {"google": {}} and "api_key" not in provider
    assert provider["base_url"].endswith("/projects/p/locations/global")


def test_deployments_alike_share_an_account(tmp_path: Path) -> None:
    one = {"model": "openai/gpt-4o", "api_key": "os.environ/A"}
    text = "\n".join(
        f"- {{model_name: m{number}, litellm_params: {{{params}}}}}"
        for number, params in enumerate(
            [", ".join(f"{k}: {v}" for k, v in one.items())] * 2
            + ["model: openai/gpt-4o, api_key: os.environ/B"]
        )
    )
    plan = draft(converted(tmp_path, f"model_list:\n{text}"))
    assert {it["api_key"] for it in plan["providers"].values()} == {"${A}", "${B}"}
    assert [it["provider"] for it in plan["targets"].values()] == ["openai", "openai", "openai-2"]


@pytest.mark.parametrize(
    ("given", "ours"),
    [("os.environ/KEY", "${KEY}"), ("plain", "plain"), ("a ${X} b", "a $${X} b")],
)
def test_their_variables_are_ours_and_their_texts_are_texts(given: str, ours: str) -> None:
    assert reference_of(given) == ours


def test_what_cannot_be_served_is_left_and_named() -> None:
    left = {it.theirs: it.said for it in convert("everything.yaml").findings if it.fate == "left"}
    assert "write a route for each model" in left["model_list: openai/*"]
    assert "give it an api_base" in left["model_list: strange"]
    assert "model_list[].litellm_params.extra_headers.Authorization" in left


def test_a_mode_that_nothing_serves_is_named(tmp_path: Path) -> None:
    one = "{{model_name: {0}, litellm_params: {{model: openai/{0}}}, model_info: {{mode: {1}}}}}"
    text = f"model_list:\n- {one.format('rt', 'realtime')}\n- {one.format('gpt', 'chat')}"
    left = {it.theirs for it in converted(tmp_path, text).findings if it.fate == "left"}
    assert [it for it in left if "mode:" in it] == ["model_list[].model_info.mode: realtime"]


ODD: dict[str, dict[str, Any]] = {
    "spaces": {"model_name": "Claude 3.5 (fast)"},
    "provider": {"model_name": "openai/gpt-4o"},
    "unicode": {"model_name": "\u6a21\u578b"},
    "long": {"model_name": "x" * 300},
    "control": {"model_name": "a\x01b"},
    "variable": {"model_name": "${HOME}"},
    "ceiling": {"max_tokens": "os.environ/X"},
    "header": {"extra_headers": {"a b": "x\ny", "Host": "x", "content-type": "y"}},
    "headers": {"extra_headers": "x"},
    "no-url": {"api_base": "not a url"},
    "query": {"api_base": "https://x.example/v1?api-version=3"},
    "hurry": {"timeout": 0.00001, "stream_timeout": 900},
    "share": {"weight": 1e9},
    "crumb": {"weight": 1e-9},
    "dear": {"input_cost_per_token": 1e-15, "output_cost_per_token": 99},
    "places": {"max_parallel_requests": 10**9},
    "many": {"max_parallel_requests": 1000},
    "model": {"model": "openai/gpt 4\n"},
    "long-model": {"model": "openai/" + "g" * 2000},
}


@pytest.mark.parametrize("what", ODD)
def test_whatever_is_odd_is_left_and_the_rest_may_be_served(tmp_path: Path, what: str) -> None:
    """A plan that its check refuses is not written: one odd deployment would take all with it."""
    good = {"model_name": "good", "litellm_params": {"model": "openai/gpt-4o"}}
    params = {"model": "openai/gpt-4o-mini", **ODD[what]}
    odd = {"model_name": params.pop("model_name", "odd"), "litellm_params": params}
    one = converted(tmp_path, yaml.safe_dump({"model_list": [good, odd, {**odd}]}))
    assert compiled(one.plan).problems == ()
    if odd["model_name"] not in draft(one)["routes"]:
        assert any(
            it.fate == "left" and it.theirs.startswith("model_list: ") for it in one.findings
        )
