from decimal import Decimal

import pytest

from tidegate.core.declared_prices import GpuPrice, TokenPrice
from tidegate.core.plan import Price, Rate
from tidegate.core.pricing import declared_price, gpu_rate


def test_free_is_free():
    assert declared_price("free") == Price("free", "free")


def test_token_prices_are_exact_to_the_nano_dollar():
    price = declared_price(
        TokenPrice(
            input_usd_per_mtok=Decimal("0.1"),
            output_usd_per_mtok=Decimal("0.000000001"),
            request_usd=Decimal("0.3"),
        )
    )
    assert (price.input, price.output) == (Rate(100_000_000), Rate(1))
    assert price.request_nanousd == 300_000_000 and price.source == "plan"
    assert price.cache_read is None and price.reasoning is None


def test_a_price_of_zero_is_a_price_and_no_price_is_none():
    price = declared_price(TokenPrice(input_usd_per_mtok=Decimal(0)))
    assert price.input == Rate(0) and price.output is None


def test_a_price_is_pinned_by_its_content():
    cheap = TokenPrice(input_usd_per_mtok=Decimal(1))
    dear = TokenPrice(input_usd_per_mtok=Decimal(2))
    assert declared_price(cheap).version == declared_price(cheap).version
    assert declared_price(cheap).version != declared_price(dear).version


def test_gpu_hours_become_tokens_by_the_formula():
    price = GpuPrice(Decimal("3.6"), input_tokens_per_s=1000.0, output_tokens_per_s=100.0, gpus=2)
    # 2 x 3.60 / 3600 = 0.002 USD a second: 2 USD a million at 1,000 tokens a second
    assert gpu_rate(price, 1000.0) == Rate(2_000_000_000)
    found = declared_price(price)
    assert (found.input, found.output) == (Rate(2_000_000_000), Rate(20_000_000_000))
    assert found.source == "gpu_hour"


def test_a_token_dearer_than_a_dollar_is_a_slip():
    with pytest.raises(ValueError, match="dearer than a dollar"):
        declared_price(GpuPrice(Decimal(10), 0.001, 0.001, gpus=10))


def test_a_price_that_prices_no_token_is_refused():
    with pytest.raises(ValueError, match="needs input_usd_per_mtok"):
        declared_price(TokenPrice(request_usd=Decimal(1)))
