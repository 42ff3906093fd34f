from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version

import pytest
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from tidegate.config.prices import PriceTable
from tidegate.core.facts import Quote
from tidegate.core.price import Rate

NOW_S = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
MTOK = 1_000_000_000  # nano-dollars of one dollar


def cost(dollars: str) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(dollars), output_mtok=Decimal(dollars))


def table(prices: ModelPrice | list[ConditionalPrice], now_s: float = NOW_S) -> PriceTable:
    model = ModelInfo(id="m", match=ClauseEquals("m"), prices=prices)
    seller = Provider("acme", "Acme", r"https://api\.acme\.com", models=[model])
    return PriceTable(now_s, DataSnapshot([seller], from_auto_update=False))


def price(prices: ModelPrice | list[ConditionalPrice], now_s: float = NOW_S):
    return table(prices, now_s).quote("openai_compatible", "https://api.acme.com:443/v1", "m").price


def test_a_published_model_is_found_by_its_address():
    quote = PriceTable(NOW_S).quote("openai", "https://api.openai.com:443/v1", "gpt-4o-mini")
    assert quote.sold and quote.price is not None
    assert quote.price.input == Rate(150_000_000) and quote.price.output == Rate(600_000_000)
    assert quote.price.version == f"genai-prices {version('genai-prices')} openai/gpt-4o-mini"
    assert quote.price.source == "genai-prices"


def test_a_seller_is_known_by_its_address_whatever_the_dialect():
    quote = PriceTable(NOW_S).quote(
        "openai_compatible", "https://api.groq.com:443/openai/v1", "llama-3.3-70b-versatile"
    )
    assert quote.price is not None and "groq/" in quote.price.version


def test_a_dialect_that_is_a_sellers_name_is_priced_at_any_address():
    quote = PriceTable(NOW_S).quote("openai", "http://127.0.0.1:9/v1", "gpt-4o-mini")
    assert quote.price is not None and not quote.sold


@pytest.mark.parametrize(
    ("dialect", "model", "seller"),
    [
        ("gemini", "gemini-2.5-flash", "google"),
        ("azure_openai", "gpt-4o", "azure"),
        ("xai", "grok-4-0709", "x-ai"),
        ("moonshot", "kimi-k2-0905-preview", "moonshotai"),
    ],
)
def test_a_dialect_has_a_seller_of_another_name(dialect, model, seller):
    quote = PriceTable(NOW_S).quote(dialect, "http://127.0.0.1:9/v1", model)
    assert quote.price is not None and f"{seller}/{model}" in quote.price.version
    assert not quote.sold


def test_a_model_on_your_own_engine_is_not_taken_for_the_one_that_is_sold():
    quote = PriceTable(NOW_S).quote("openai_compatible", "http://127.0.0.1:8000/v1", "gpt-4o-mini")
    assert quote == Quote(None, sold=False)


def test_a_seller_that_does_not_list_the_model():
    quote = PriceTable(NOW_S).quote("openai", "https://api.openai.com:443/v1", "nobody-knows")
    assert quote == Quote(None, sold=True)


def test_classes_that_are_not_listed_have_no_rate_and_zero_is_a_rate():
    found = price(ModelPrice(input_mtok=Decimal("0.1"), cache_read_mtok=Decimal(0)))
    assert found is not None
    assert (found.input, found.cache_read) == (Rate(MTOK // 10), Rate(0))
    assert (found.output, found.cache_write, found.reasoning) == (None, None, None)
    assert (found.audio_input, found.audio_output, found.service_tiers) == (None, None, ())
    audio = price(
        ModelPrice(
            input_mtok=Decimal(1), input_audio_mtok=Decimal(3), output_audio_mtok=Decimal(12)
        )
    )
    assert audio is not None
    assert (audio.audio_input, audio.audio_output) == (Rate(3 * MTOK), Rate(12 * MTOK))
    kept = price(ModelPrice(input_mtok=Decimal(1), cache_write_1h_mtok=Decimal(2)))
    assert kept is not None
    assert (found.cache_write_1h, kept.cache_write_1h) == (None, Rate(2 * MTOK))


def test_tiers_and_requests():
    tiers = TieredPrices(base=Decimal(1), tiers=[Tier(200_000, Decimal(2))])
    found = price(ModelPrice(input_mtok=tiers, requests_kcount=Decimal(5)))
    assert found is not None
    assert found.input == Rate(MTOK, ((200_000, 2 * MTOK),))
    assert found.request_nanousd == 5_000_000


def test_a_model_that_is_not_sold_by_the_token_has_no_price():
    assert price(ModelPrice(requests_kcount=Decimal(5))) is None


@pytest.mark.parametrize(
    ("day", "dollars", "variant"),
    [(1, 1, ""), (10, 2, " from 2026-11-10"), (30, 2, " from 2026-11-10")],
)
def test_the_dated_variant_in_force_is_taken_and_named(day, dollars, variant):
    prices = [
        ConditionalPrice(prices=cost("1")),
        ConditionalPrice(StartDateConstraint(date(2026, 11, 10)), prices=cost("2")),
    ]
    found = price(prices, datetime(2026, 11, day, tzinfo=UTC).timestamp())
    assert found is not None and found.input == Rate(dollars * MTOK)
    assert found.version.endswith(f"acme/m{variant}")


def test_of_prices_that_change_with_the_hour_the_dearest_is_taken():
    night = TimeOfDateConstraint(time(0), time(8))
    prices = [
        ConditionalPrice(prices=cost("1")),
        ConditionalPrice(night, prices=cost("3")),
        ConditionalPrice(TimeOfDateConstraint(time(8), time(9)), prices=cost("2")),
    ]
    found = price(prices)
    assert found is not None and found.input == Rate(3 * MTOK)
    assert found.version.endswith("acme/m dearest hour")


def test_hours_of_a_variant_that_is_no_longer_in_force_are_left():
    prices = [
        ConditionalPrice(prices=cost("1")),
        ConditionalPrice(TimeOfDateConstraint(time(0), time(8)), prices=cost("9")),
        ConditionalPrice(StartDateConstraint(date(2026, 1, 1)), prices=cost("2")),
    ]
    found = price(prices)
    assert found is not None and found.input == Rate(2 * MTOK)


def test_what_its_seller_gives_away_is_free_there_and_nowhere_else():
    known = PriceTable(NOW_S).quote
    for model in ("omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-007"):
        for base_url in ("https://api.openai.com/v1", ""):
            found = known("openai", base_url, model).price
            assert found is not None and found.source == "free"
        assert known("openai", "https://proxy.example/v1", model).price is None
        assert known("azure_openai", "https://x.openai.azure.com/openai/v1", model).price is None
    assert known("mistral", "https://api.mistral.ai/v1", "mistral-moderation-latest").price is None
    paid = known("openai", "https://api.openai.com/v1", "gpt-4o-mini").price
    assert paid is not None and paid.source == "genai-prices"


def test_every_published_text_price_fits():
    """Each price in the table becomes integers, none of them rounded to nothing."""
    prices = PriceTable(NOW_S)
    for seller in prices._snapshot.providers:
        for model in seller.models:
            found = prices._price(seller, model)
            listed, _ = prices._in_force(model)
            if found is not None and isinstance(listed.input_mtok, Decimal) and listed.input_mtok:
                assert found.input is not None and found.input.nanousd_per_mtok > 0


def test_what_is_sold_by_the_hour_the_character_and_the_image_s_token():
    heard = price(ModelPrice(audio_hours=Decimal("0.36"), input_audio_hours=Decimal("0.36")))
    assert heard is not None and heard.audio_nanousd_per_h == 360_000_000
    assert price(ModelPrice(audio_hours=Decimal("0.36"))) == heard
    spoken = price(ModelPrice(input_mchars=Decimal(15)))
    assert spoken is not None and spoken.nanousd_per_mchar == 15 * MTOK
    drawn = price(
        ModelPrice(
            input_mtok=Decimal(5), input_image_mtok=Decimal(8), output_image_mtok=Decimal(32)
        )
    )
    assert drawn is not None
    assert (drawn.image_input, drawn.image_output) == (Rate(8 * MTOK), Rate(32 * MTOK))
    assert price(ModelPrice()) is None
