"""`batch` of a target in a plan file becomes what gateways obey."""

import pytest

from tidegate.config.load import Compiled, compile_file
from tidegate.core.batches import Batches
from tidegate.core.price import Rate

PLAN = """\
providers:
  mine: {{kind: {kind}, base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets:
  small:
    provider: mine
    model: x
    price: {price}
{batch}
routes: {{chat: small}}
"""
PRICE = "{input_usd_per_mtok: 2, output_usd_per_mtok: 8}"


def compiled(batch: str = "", kind: str = "openai", price: str = PRICE) -> Compiled:
    written = f"    batch: {batch}" if batch else ""
    return compile_file(PLAN.format(kind=kind, price=price, batch=written).encode(), {}, 1, 1000.0)


def batches(*args: str, **fields: str) -> Batches | None:
    plan = compiled(*args, **fields).plan
    assert plan is not None
    return plan.routes["chat"].release.target.batches


@pytest.mark.parametrize("kind", ["openai", "azure_openai", "anthropic", "sim"])
def test_providers_that_are_known_for_half_the_price_take_them_unasked(kind: str) -> None:
    found = batches(kind=kind)
    assert found is not None and found.price is not None
    assert (found.price.input, found.price.output) == (Rate(1_000_000_000), Rate(4_000_000_000))
    assert (found.max_lines, found.price.version[-5:]) == (50_000, " x0.5")


@pytest.mark.parametrize("kind", ["openai_compatible", "vllm", "vertex", "bedrock"])
def test_others_do_not(kind: str) -> None:
    assert batches(kind=kind) is None


def test_a_plan_says_what_they_cost_and_where_none_are_taken() -> None:
    found = batches("{price_share: 80%, max_lines: 10}", kind="openai_compatible")
    assert found is not None and found.price is not None
    assert (found.price.input, found.max_lines) == (Rate(1_600_000_000), 10)
    whole = batches("{}", kind="openai_compatible")
    assert whole is not None and whole.price is not None
    assert whole.price.input == Rate(2_000_000_000)
    assert batches("none") is None


def test_a_class_of_service_called_batch_goes_before_a_share() -> None:
    tiers = "service_tiers: {batch: {input_usd_per_mtok: 1.5, output_usd_per_mtok: 3}}"
    found = batches("{price_share: 10%}", price=f"{PRICE[:-1]}, {tiers}}}")
    assert found is not None and found.price is not None
    assert (found.price.input, found.price.output) == (Rate(1_500_000_000), Rate(3_000_000_000))


@pytest.mark.parametrize("kind", ["vllm", "llama_cpp", "bedrock", "gemini"])
def test_a_kind_without_batches_is_a_mistake(kind: str) -> None:
    found = compiled("{price_share: 50%}", kind=kind)
    assert found.plan is None
    assert "takes no batches" in str(found.problems)
