"""What tokens cost: each class at its rate, and unknown where a rate is."""

import pytest
from msgspec.structs import replace

from tidegate.core.price import Price, Rate
from tidegate.core.receipt import Receipt
from tidegate.core.receipt_cost import cost_nanousd, prefix_saved_nanousd

MTOK = 1_000_000
PRICE = Price("v1", "plan", input=Rate(2 * MTOK), output=Rate(8 * MTOK), cache_read=Rate(MTOK))


def asked(**fields: object) -> Receipt:
    return Receipt("id", 0.0, "g", "chat", **fields)  # type: ignore[arg-type]


def test_every_class_is_charged_at_its_own_rate() -> None:
    receipt = asked(input_tokens=10, cache_read_tokens=100, output_tokens=5)
    assert cost_nanousd(receipt, PRICE) == 10 * 2 + 100 * 1 + 5 * 8


def test_a_class_without_a_rate_is_charged_as_its_parent() -> None:
    receipt = asked(input_tokens=0, cache_write_tokens=3, output_tokens=0, reasoning_tokens=4)
    assert cost_nanousd(receipt, PRICE) == 3 * 2 + 4 * 8


@pytest.mark.parametrize("known", [{"input_tokens": 10}, {"output_tokens": 5}, {}])
def test_a_cost_of_unknown_tokens_is_unknown(known: dict[str, int]) -> None:
    assert cost_nanousd(asked(**known), PRICE) is None


def test_a_used_class_without_any_rate_makes_the_cost_unknown() -> None:
    price = Price("v1", "plan", input=Rate(MTOK))
    assert cost_nanousd(asked(input_tokens=1, output_tokens=1), price) is None
    assert cost_nanousd(asked(input_tokens=1, output_tokens=0), price) == 1


def test_free_is_zero_even_where_tokens_are_unknown() -> None:
    assert cost_nanousd(asked(), Price("v1", "free")) == 0


def test_embeddings_need_no_output() -> None:
    receipt = Receipt("id", 0.0, "g", "embeddings", input_tokens=7)
    assert cost_nanousd(receipt, PRICE) == 14


def test_rounding_happens_once_over_all_classes() -> None:
    price = Price("v1", "plan", input=Rate(300_000), output=Rate(300_000))
    assert cost_nanousd(asked(input_tokens=1, output_tokens=1), price) == 1
    assert cost_nanousd(asked(input_tokens=1, output_tokens=0), price) == 0


def test_a_tier_prices_the_whole_class_by_the_whole_input() -> None:
    price = Price("v1", "plan", input=Rate(MTOK, ((100, 2 * MTOK),)), output=Rate(MTOK))
    assert cost_nanousd(asked(input_tokens=100, output_tokens=1), price) == 101
    over = asked(input_tokens=100, cache_read_tokens=1, output_tokens=1)
    assert cost_nanousd(over, price) == 2 * 101 + 1


def test_a_price_a_request_is_added() -> None:
    price = Price("v1", "plan", input=Rate(MTOK), output=Rate(MTOK), request_nanousd=50)
    assert cost_nanousd(asked(input_tokens=1, output_tokens=1), price) == 52


def test_what_a_cache_keeps_for_an_hour_has_its_own_rate_and_without_one_the_cost_is_unknown():
    receipt = asked(input_tokens=10, cache_write_tokens=9, output_tokens=1)
    receipt.cache_write_1h_tokens = 4
    rates = Price("v", "plan", Rate(MTOK), cache_write=Rate(2 * MTOK), output=Rate(MTOK))
    assert cost_nanousd(receipt, rates) is None
    hour = replace(rates, cache_write_1h=Rate(5 * MTOK))
    assert cost_nanousd(receipt, hour) == 10 + 5 * 2 + 4 * 5 + 1
    assert cost_nanousd(receipt, replace(hour, source="gpu_hour")) == 10 + 5 * 2 + 4 + 1
    receipt.cache_write_1h_tokens = 0
    assert cost_nanousd(receipt, rates) == 10 + 9 * 2 + 1


def test_audio_is_charged_at_its_own_rate_and_without_one_the_cost_is_unknown():
    receipt = asked(input_tokens=10, output_tokens=8)
    receipt.audio_input_tokens, receipt.audio_output_tokens = 4, 3
    rates = Price("v", "plan", Rate(1_000_000), output=Rate(2_000_000))
    assert cost_nanousd(receipt, rates) is None
    audio = replace(rates, audio_input=Rate(30_000_000), audio_output=Rate(60_000_000))
    assert cost_nanousd(receipt, audio) == 6 * 1 + 4 * 30 + 5 * 2 + 3 * 60
    assert cost_nanousd(receipt, replace(audio, audio_output=None)) is None
    receipt.audio_output_tokens = 0
    assert cost_nanousd(receipt, replace(audio, audio_output=None)) == 6 * 1 + 4 * 30 + 8 * 2
    assert cost_nanousd(receipt, replace(rates, source="gpu_hour")) == 10 * 1 + 8 * 2
    receipt.audio_input_tokens = 11  # some of it was cached, and nobody lists such a rate
    assert cost_nanousd(receipt, audio) is None


CACHED = Price(
    "v1",
    "plan",
    input=Rate(2 * MTOK, ((200, 4 * MTOK),)),
    output=Rate(8 * MTOK),
    cache_read=Rate(MTOK),
    cache_write=Rate(3 * MTOK),
    cache_write_1h=Rate(5 * MTOK),
)


@pytest.mark.parametrize(
    ("tokens", "saved"),
    [
        ({"cache_read_tokens": 100}, 100),
        ({"cache_write_tokens": 100}, -100),
        ({"cache_read_tokens": 50, "cache_write_tokens": 100}, -50),
        ({"cache_write_tokens": 100, "cache_write_1h_tokens": 40}, -60 - 120),
        ({"cache_read_tokens": 300}, 900),  # a longer input, a dearer tier
        ({"cache_read_tokens": 0}, 0),
        ({}, None),  # nobody told
    ],
)
def test_what_a_prefix_cache_saves_is_net_of_what_its_writes_cost(
    tokens: dict[str, int], saved: int | None
) -> None:
    receipt = asked(input_tokens=10, output_tokens=1, **tokens)
    assert prefix_saved_nanousd(receipt, CACHED) == saved


def test_what_is_saved_is_what_the_same_input_costs_more_without_a_cache() -> None:
    cached = asked(input_tokens=10, cache_read_tokens=70, cache_write_tokens=9, output_tokens=5)
    plain = asked(input_tokens=89, output_tokens=5)
    without, there = cost_nanousd(plain, CACHED), cost_nanousd(cached, CACHED)
    assert without is not None and there is not None
    assert prefix_saved_nanousd(cached, CACHED) == without - there


def test_what_was_saved_is_unknown_where_a_rate_is() -> None:
    read = asked(input_tokens=1, cache_read_tokens=5, output_tokens=1)
    assert prefix_saved_nanousd(read, Price("v1", "plan", output=Rate(MTOK))) is None
    assert prefix_saved_nanousd(asked(cache_read_tokens=5), CACHED) is None
    hour = asked(input_tokens=1, cache_write_tokens=5, cache_write_1h_tokens=5, output_tokens=1)
    assert prefix_saved_nanousd(hour, replace(CACHED, cache_write_1h=None)) is None


def test_where_a_token_is_a_token_nothing_is_saved() -> None:
    read = asked(input_tokens=1, cache_read_tokens=5, output_tokens=1)
    assert prefix_saved_nanousd(read, replace(CACHED, source="gpu_hour")) == 0
    assert prefix_saved_nanousd(read, PRICE) == 5  # a write costs as plain input there
    assert prefix_saved_nanousd(read, replace(PRICE, cache_read=None)) == 0
