from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tidegate.core.declared_prices import GpuPrice, TierPrice, TokenPrice
from tidegate.core.price import ImagePrice, Price, Rate
from tidegate.core.pricing import Ceiling, at_tier, batch_price, declared_price, gpu_rate
from tidegate.core.receipt import Receipt
from tidegate.core.receipt_cost import cost_nanousd


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
TIERED = st.builds(
    lambda price, heard, said, tiers: replace(
        price, audio_input=heard, audio_output=said, service_tiers=tuple(tiers.items())
    ),
    PRICES,
    RATES,
    RATES,
    st.dictionaries(
        st.sampled_from(("priority", "flex", "scale")),
        st.builds(
            lambda price, a, b: replace(price, audio_input=a, audio_output=b), PRICES, RATES, RATES
        ),
    ),
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


@given(
    price=TIERED,
    used=PARTS,
    audio=st.tuples(st.integers(0, 200), st.integers(0, 200)),
    asked=st.sampled_from((None, "auto", "default", "flex", "priority", "scale", "other")),
    served=st.sampled_from((None, "default", "flex", "priority", "scale")),
)
def test_nor_does_one_with_audio_or_in_another_class_of_service(price, used, audio, asked, served):
    """Who chose a class gets that one or the usual; where nobody chose, any may serve."""
    receipt = Receipt("id", 1.0, "g", "chat")
    receipt.input_tokens, receipt.cache_read_tokens, receipt.cache_write_tokens = used[:3]
    receipt.output_tokens, receipt.reasoning_tokens = used[3:]
    receipt.audio_input_tokens, receipt.audio_output_tokens = audio
    chosen = asked in ("default", "flex", "priority", "scale")
    rates = at_tier(price, asked if chosen else served)
    held = Ceiling(price).of(asked, hears=audio[0] > 0, says=audio[1] > 0, keeps=False)
    cost = None if rates is None else cost_nanousd(receipt, rates)
    most = held.nanousd(sum(used[:3]), sum(used[3:]))
    assert most is not None
    if audio[0] > used[0] or audio[1] > used[3]:
        assert cost is None  # of what was cached or thought: nobody lists such rates
    assert cost is None or cost <= most


def test_a_class_of_service_has_its_price_or_none_and_one_that_costs_less_the_usual():
    dear = Price("", "plan", input=Rate(9))
    price = Price("x", "plan", input=Rate(5), service_tiers=(("priority", dear),))
    assert at_tier(price, "priority") == dear
    for usual in (None, "auto", "default", "standard", "on_demand", "flex"):
        assert at_tier(price, usual) == price
    assert at_tier(price, "scale") is None
    assert at_tier(Price("x", "free"), "scale") == Price("x", "free")


def test_where_nobody_chose_the_dearest_class_is_held_and_audio_only_where_it_may_be():
    dear = Price("", "plan", input=Rate(90_000_000), output=Rate(1_000_000))
    price = Price(
        *("x", "plan", Rate(5_000_000)),
        output=Rate(1_000_000),
        audio_input=Rate(40_000_000),
        cache_write_1h=Rate(70_000_000),
        service_tiers=(("priority", dear),),
    )
    it = Ceiling(price)
    assert it.varies
    assert it.of(None, hears=False, says=False, keeps=False).nanousd(1, 1) == 91
    assert it.of("default", hears=False, says=False, keeps=False).nanousd(1, 1) == 6
    assert it.of("default", hears=True, says=False, keeps=False).nanousd(1, 1) == 41
    assert it.of("default", hears=True, says=False, keeps=True).nanousd(1, 1) == 71
    assert Ceiling(Price("x", "plan", cache_write_1h=Rate(1))).varies
    assert not Ceiling(Price("x", "plan", input=Rate(1))).varies


def test_a_class_of_service_pays_for_the_request_too():
    tiers = {"priority": TierPrice(Decimal(2), Decimal(3), audio_input_usd_per_mtok=Decimal(4))}
    price = declared_price(
        TokenPrice(Decimal(1), Decimal(1), request_usd=Decimal("0.1"), service_tiers=tiers)
    )
    ((name, dear),) = price.service_tiers
    assert (name, dear.input, dear.output) == ("priority", Rate(2 * 10**9), Rate(3 * 10**9))
    assert (dear.audio_input, dear.request_nanousd) == (Rate(4 * 10**9), 10**8)
    plain = TokenPrice(Decimal(1), Decimal(1), request_usd=Decimal("0.1"))
    assert declared_price(plain).version != price.version


def test_a_share_of_a_price_is_of_every_rate_and_every_tier():
    price = Price(
        "p",
        "plan",
        input=Rate(1_000, ((5, 2_001),)),
        cache_read=Rate(3),
        audio_output=Rate(7),
        request_nanousd=9,
        service_tiers=(("priority", Price("p", "plan", input=Rate(9))),),
    )
    half = batch_price(price, 0.5)
    assert half.input == Rate(500, ((5, 1_000),))
    # Halves go to the even neighbour, as everywhere.
    assert (half.cache_read, half.audio_output, half.request_nanousd) == (Rate(2), Rate(4), 4)
    assert (half.output, half.service_tiers, half.version) == (None, (), "p x0.5")
    assert batch_price(price, 1).input == price.input


def test_what_costs_no_money_a_token_costs_the_same_in_a_batch():
    free = Price("free", "free")
    by_hour = Price("g", "gpu_hour", input=Rate(10))
    assert batch_price(free, 0.5) == free
    assert batch_price(by_hour, 0.5) == by_hour


def test_what_is_no_chat_may_be_sold_by_other_units():
    price = declared_price(
        TokenPrice(
            image_usd=Decimal("0.04"),
            images={"1024x1024 hd": Decimal("0.08"), "1024x1024": Decimal("0.05")},
            audio_usd_per_min=Decimal("0.006"),
            input_usd_per_mchar=Decimal(15),
            search_usd=Decimal("0.002"),
        )
    )
    assert price.images == (
        ImagePrice(50_000_000, "1024x1024"),
        ImagePrice(80_000_000, "1024x1024", "hd"),
        ImagePrice(40_000_000),
    )
    assert price.audio_nanousd_per_h == 360_000_000
    assert (price.nanousd_per_mchar, price.search_nanousd) == (15_000_000_000, 2_000_000)
    for one in (
        TokenPrice(search_usd=Decimal(0)),
        TokenPrice(images={"1x1": Decimal(1)}),
    ):
        assert declared_price(one).source == "plan"
    with pytest.raises(ValueError, match="search_usd"):
        declared_price(TokenPrice(image_input_usd_per_mtok=Decimal(1)))
