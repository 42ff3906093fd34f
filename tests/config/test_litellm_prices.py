"""What a deployment costs there is what it costs here, to the digit."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.config.litellm_rig import compiled, convert, converted, draft

from tidegate.core.price import Rate


def test_prices_are_exactly_theirs() -> None:
    plan = compiled(convert("everything.yaml").plan).plan
    assert plan is not None
    price = plan.targets["chat"].price
    assert price is not None
    assert price.input.nanousd_per_mtok == Decimal("2.5") * 10**9  # type: ignore[union-attr]


def test_an_engine_without_a_price_costs_nothing_as_there(tmp_path: Path) -> None:
    """Keys with budgets go on calling it; of a hosted model nobody guesses."""
    text = """
model_list:
- {model_name: own, litellm_params: {model: hosted_vllm/Qwen/Qwen3-8B, api_base: "http://v/v1"}}
- {model_name: new, litellm_params: {model: openai/a-model-of-tomorrow}}
- {model_name: known, litellm_params: {model: openai/gpt-4o-mini}}
"""
    one = converted(tmp_path, text)
    prices = {name: it.get("price") for name, it in draft(one)["targets"].items()}
    assert prices == {"own": "free", "new": None, "known": None}
    told = {(it.fate, it.theirs) for it in one.findings}
    assert ("changed", "model_list: the price of own") in told
    assert ("left", "model_list: the price of new") in told
    plan = compiled(one.plan).plan
    assert plan is not None and plan.targets["known"].price is not None


@pytest.mark.parametrize(
    ("told", "price"),
    [
        ("input_cost_per_token: 0, output_cost_per_token: 0", "free"),
        ("output_cost_per_image: 0.04", {"image_usd": 0.04}),
        ("input_cost_per_character: 0.000015", {"input_usd_per_mchar": 15.0}),
        ("input_cost_per_audio_per_second: 0.0001", {"audio_usd_per_min": 0.006}),
        ("input_cost_per_query: 2e-3", {"search_usd": 0.002}),
        (
            "input_cost_per_token: 1e-6, output_cost_per_token: '2e-6', "
            "output_cost_per_reasoning_token: 3e-6, "
            "cache_creation_input_token_cost_above_1hr: 4e-6",
            {
                "input_usd_per_mtok": 1.0,
                "output_usd_per_mtok": 2.0,
                "cache_write_1h_usd_per_mtok": 4.0,
                "reasoning_usd_per_mtok": 3.0,
            },
        ),
        ("input_cost_per_token: 1e-6", None),
        ("input_cost_per_token: -1, output_cost_per_token: much", None),
    ],
    ids=["free", "image", "characters", "audio", "search", "classes", "half", "none"],
)
def test_each_unit_is_ours(tmp_path: Path, told: str, price: object) -> None:
    params = f"{{model: openai/gpt-4o-mini, {told}}}"
    one = converted(tmp_path, f"model_list:\n- {{model_name: g, litellm_params: {params}}}")
    assert draft(one)["targets"]["g"].get("price") == price
    assert compiled(one.plan).problems == ()
    if price is None:
        assert any(it.fate == "left" and "cost_per_token" in it.theirs for it in one.findings)


@pytest.mark.parametrize("amount", ["1e999999", "0x" + "f" * 5000, "nan", "-1"])
def test_what_is_no_amount_is_left(tmp_path: Path, amount: str) -> None:
    params = f"{{model: openai/gpt-4o, input_cost_per_token: {amount}, output_cost_per_token: 1}}"
    one = converted(tmp_path, f"model_list:\n- {{model_name: g, litellm_params: {params}}}")
    left = {it.theirs for it in one.findings if it.fate == "left"}
    assert "model_list[].litellm_params.input_cost_per_token" in left
    assert "price" not in draft(one)["targets"]["g"]


BASED = """
model_list:
- {model_name: g, litellm_params: {model: azure/%s, api_base: "https://x.openai.azure.com"},
   model_info: {base_model: %s}}
"""


@pytest.mark.parametrize("base", ["azure/gpt-4.1-mini", "gpt-4.1-mini"])
def test_a_deployment_costs_what_the_model_does_that_it_is(tmp_path: Path, base: str) -> None:
    """And not what another model costs that is called as it is."""
    for name in ("prod", "gpt-4.1"):
        one = converted(tmp_path, BASED % (name, base))
        plan = compiled(one.plan).plan
        assert plan is not None
        price = plan.targets["g"].price
        assert price is not None and price.source == "plan"
        assert price.input == Rate(400_000_000) and price.output == Rate(1_600_000_000)
        assert price.cache_read == Rate(100_000_000)
        told = {(it.fate, it.theirs) for it in one.findings}
        assert ("carried", "model_list[].model_info.base_model") in told


def test_a_deployment_that_is_called_as_its_model_keeps_the_published_price(tmp_path: Path) -> None:
    one = converted(tmp_path, BASED % ("gpt-4.1-mini", "azure/gpt-4.1-mini"))
    assert "price" not in draft(one)["targets"]["g"]


@pytest.mark.parametrize("base", ["azure/a-model-of-tomorrow", "azure/gpt-5.4", "[]"])
def test_what_no_price_here_says_is_told(tmp_path: Path, base: str) -> None:
    """Such as one that costs more behind many tokens."""
    one = converted(tmp_path, BASED % ("prod", base))
    assert "price" not in draft(one)["targets"]["g"]
    told = [it.theirs for it in one.findings if it.fate == "left"]
    assert f"model_list[].model_info.base_model: {base}" in told or base == "[]"
