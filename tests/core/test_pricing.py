from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.declared_prices import GpuPrice, TokenPrice
from tidegate.core.plan import Price, Rate
from tidegate.core.pricing import Ceiling, declared_price, gpu_rate
from tidegate.core.receipt import Receipt, cost_nanousd


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


TIERS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 10**10)), max_size=3, unique_by=lambda it: it[0]
)
RATES = st.builds(
    lambda rate, tiers: Rate(rate, tuple(sorted(tiers))), st.integers(0, 10**10), TIERS
)
PRICES = st.builds(
    Price,
    version=st.just("x"),
    source=st.just("plan"),
    input=RATES,
    cache_read=st.none() | RATES,
    cache_write=st.none() | RATES,
    output=RATES,
    reasoning=st.none() | RATES,
    request_nanousd=st.integers(0, 100),
)
PARTS = st.lists(st.integers(0, 200), min_size=5, max_size=5)


@given(price=PRICES, used=PARTS, unused=st.tuples(st.integers(0, 400), st.integers(0, 400)))
def test_no_request_within_its_bounds_costs_more_than_its_hold(price, used, unused):
    """Whatever of its input was cached, whatever of its output was reasoning, in whichever tier."""
    receipt = Receipt("id", 1.0, "g", "chat")
    receipt.input_tokens, receipt.cache_read_tokens, receipt.cache_write_tokens = used[:3]
    receipt.output_tokens, receipt.reasoning_tokens = used[3:]
    held = Ceiling(price).nanousd(sum(used[:3]) + unused[0], sum(used[3:]) + unused[1])
    cost = cost_nanousd(receipt, price)
    assert held is not None
    assert cost is not None
    assert cost <= held


def test_a_hold_without_a_rate_is_unknown_and_a_free_one_is_nothing():
    assert Ceiling(Price("x", "plan", output=Rate(5))).nanousd(1, 1) is None
    assert Ceiling(Price("x", "plan", output=Rate(5))).nanousd(0, 1) == 1
    assert Ceiling(Price("free", "free")).nanousd(10, 10) == 0


def test_a_bound_beyond_a_cheaper_tier_is_held_at_the_dearer_one():
    bulk = Ceiling(Price("x", "plan", input=Rate(10_000_000, ((100, 1_000_000),))))
    assert bulk.nanousd(100, 0) == 1000
    assert bulk.nanousd(150, 0) == 1500
    from_the_first = Price("x", "plan", input=Rate(0), output=Rate(1_000_000, ((0, 0),)))
    assert Ceiling(from_the_first).nanousd(0, 5) == 5  # without input no tier is reached
