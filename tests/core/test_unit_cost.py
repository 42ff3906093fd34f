"""What images, audio, characters and searches cost, and the most that they can."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.metered import Metered
from tidegate.core.plan import Replica, Target
from tidegate.core.price import ImagePrice, Price, Rate
from tidegate.core.receipt import METERED, Receipt
from tidegate.core.unit_cost import (
    most_tokens,
    most_unit_nanousd,
    sells_tokens,
    unit_cost_nanousd,
)

HOUR = 360_000_000  # $0.006 a minute
TARGET = Target("t", "p", "d", "m", (Replica("r", "http", "h", 80, ""),), image_tokens=1000)
GPT_IMAGE = {"input": Rate(5_000), "image_input": Rate(10_000), "output": Rate(40_000)}
IMAGES = (
    ImagePrice(80, "1024x1024", "hd"),
    ImagePrice(40, "1024x1024"),
    ImagePrice(20),
)


def price(**fields: Any) -> Price:
    return Price("plan:1", "plan", **fields)


def cost(endpoint: str, of: Price, **fields: Any) -> int | None:
    return unit_cost_nanousd(Receipt("", 0.0, "", endpoint, **fields), of)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "quality", "each"),
    [
        ("1024x1024", "hd", 80),
        ("1024x1024", "standard", 40),
        ("1024x1024", None, 40),
        ("512x512", "hd", 20),
        (None, None, 20),
        ("auto", "hd", None),
        ("1024x1024", "auto", None),
    ],
)
def test_an_image_costs_what_its_size_and_quality_do(
    size: str | None, quality: str | None, each: int | None
) -> None:
    found = cost("images", price(images=IMAGES), images=3, image_size=size, image_quality=quality)
    assert found == (None if each is None else 3 * each)


def test_what_its_provider_chose_is_known_where_all_cost_the_same() -> None:
    assert cost("images", price(images=(ImagePrice(5),)), images=2, image_size="auto") == 10


def test_unknown_is_never_zero() -> None:
    assert cost("images", price(images=IMAGES)) is None
    assert cost("images", price(images=IMAGES[:2]), images=1, image_size="256x256") is None
    assert cost("transcriptions", price(audio_nanousd_per_h=HOUR)) is None
    assert cost("speech", price(nanousd_per_mchar=5)) is None
    assert cost("rerank", price(search_nanousd=5)) is None
    assert cost("rerank", price(input=Rate(5))) is None
    assert cost("images", price(output=Rate(5)), input_tokens=5, output_tokens=5) is None
    of_images = price(**GPT_IMAGE)
    assert cost("image_edits", of_images, input_tokens=5, output_tokens=5) is None
    heard = price(input=Rate(1), audio_input=Rate(1), output=Rate(1))
    assert cost("transcriptions", heard, input_tokens=5, output_tokens=5) is None


def test_units_are_rounded_once_half_up() -> None:
    assert cost("transcriptions", price(audio_nanousd_per_h=HOUR), audio_s=61.0) == 6_100_000
    assert cost("transcriptions", price(audio_nanousd_per_h=1800), audio_s=1.0) == 1
    assert cost("speech", price(nanousd_per_mchar=15_000_000_000), characters=11) == 165_000
    assert cost("speech", price(nanousd_per_mchar=500_000), characters=1) == 1
    assert cost("rerank", price(search_nanousd=2_000_000, request_nanousd=7), search_units=2) == (
        4_000_007
    )


def test_tokens_of_images_have_rates_of_their_own() -> None:
    of = price(**{name: Rate(rate.nanousd_per_mtok * 1000) for name, rate in GPT_IMAGE.items()})
    told = {"input_tokens": 110, "output_tokens": 1000}
    assert cost("images", of, **told) == 550 + 40_000
    assert cost("image_edits", of, image_input_tokens=100, **told) == 50 + 1000 + 40_000
    apart = price(input=Rate(5_000_000), output=Rate(10_000_000), image_output=Rate(32_000_000))
    assert cost("images", apart, **told) == 550 + 32_000
    assert cost("images", apart, image_output_tokens=900, **told) == 550 + 1000 + 28_800
    assert cost("images", apart, image_output_tokens=2000, **told) is None


def test_heard_and_spoken_tokens_have_rates_of_their_own() -> None:
    of = price(input=Rate(2_500_000), audio_input=Rate(6_000_000), output=Rate(10_000_000))
    told = {"input_tokens": 110, "audio_input_tokens": 100, "output_tokens": 10}
    assert cost("transcriptions", of, **told) == 25 + 600 + 100
    of = price(input=Rate(1_000_000), output=Rate(12_000_000))
    assert cost("speech", of, input_tokens=5, output_tokens=10) == 5 + 120


def test_what_is_free_costs_nothing_and_a_gpu_s_hour_counts_tokens() -> None:
    assert cost("images", Price("free", "free")) == 0
    of = Price("", "gpu_hour", input=Rate(1_000_000), output=Rate(1_000_000))
    assert cost("rerank", of, input_tokens=7) == 7
    told = {"input_tokens": 7, "audio_input_tokens": 7, "output_tokens": 1}
    assert cost("transcriptions", of, **told) == 8


def most(endpoint: str, of: Price | None, **fields: Any) -> int | None:
    return most_unit_nanousd(Metered(**fields), endpoint, of, TARGET)  # type: ignore[arg-type]


def test_the_most_of_an_image_is_the_dearest_that_it_may_be() -> None:
    of = price(images=IMAGES)
    assert most("images", of, images=2) == 160
    assert most("images", of, images=2, image_size="auto") == 160
    assert most("images", of, images=2, image_size="1024x1024") == 160  # of any quality
    assert most("images", of, images=2, image_size="1024x1024", image_quality="standard") == 80
    assert most("images", of, images=2, image_size="1024x1024", image_quality="auto") == 160
    assert most("images", price(images=IMAGES[:2]), images=1, image_size="9x9") == 80
    assert most("images", None, images=2) is None
    assert most("images", price(input=Rate(1)), images=2) is None


def test_a_price_by_tokens_bounds_them() -> None:
    of = price(**{name: Rate(1_000_000) for name in GPT_IMAGE})
    assert most("images", of, images=2, text_bytes=10) == 2010
    assert most("image_edits", of, images=1, input_images=3, text_bytes=10) == 4010
    assert most_tokens(Metered(documents=4, query_bytes=10, text_bytes=50), "rerank", TARGET) == (
        50 + 4 * 18,
        0,
    )


def test_which_requests_have_tokens() -> None:
    tokens = price(input=Rate(1))
    assert sells_tokens("images", tokens) and not sells_tokens("images", price(images=IMAGES))
    assert not sells_tokens("transcriptions", price(audio_nanousd_per_h=1))
    assert not sells_tokens("speech", price(nanousd_per_mchar=1))
    assert sells_tokens("rerank", None) and not sells_tokens("speech", None)


@given(
    endpoint=st.sampled_from(sorted(METERED)),
    rates=st.tuples(*(st.integers(0, 10**9) for _ in range(6))),
    images=st.integers(1, 10),
    seconds=st.floats(0.1, 10_000),
    into=st.integers(1, 500),
    out=st.integers(0, 900),
)
def test_no_cost_passes_its_bound(
    endpoint: Any,
    rates: tuple[int, ...],
    images: int,
    seconds: float,
    into: int,
    out: int,
) -> None:
    of = price(
        input=Rate(rates[0], ((100, rates[1]),)),
        output=Rate(rates[1]),
        images=(ImagePrice(rates[2]), ImagePrice(rates[3], "1x1")) if rates[5] % 2 else (),
        audio_nanousd_per_h=rates[4] if rates[5] % 3 else None,
        nanousd_per_mchar=rates[2] if rates[5] % 3 else None,
        search_nanousd=rates[3] if rates[5] % 3 else None,
    )
    metered = Metered(
        images=images,
        audio_s=seconds,
        characters=into,
        documents=2,
        query_bytes=into,
        search_units=3,
        text_bytes=into,
    )
    used = {"images": images, "audio_s": seconds / 2, "characters": into, "search_units": 2}
    bounds = most_tokens(metered, endpoint, TARGET)
    told = {"input_tokens": min(into, bounds[0]), "output_tokens": min(out, bounds[1])}
    for size in (None, "1x1", "2x2"):
        found = cost(endpoint, of, image_size=size, **used, **told)
        metered.image_size = size
        bound = most_unit_nanousd(metered, endpoint, of, TARGET)
        assert found is None or bound is None or found <= bound
