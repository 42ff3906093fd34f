import pytest
from msgspec.structs import asdict, fields

from tidegate.core.declared_prices import GpuPrice, TokenPrice


def test_which_price_is_meant_shows_by_its_keys():
    assert not {f.name for f in fields(TokenPrice)} & {f.name for f in fields(GpuPrice)}


def test_a_token_class_that_is_not_written_is_unknown_and_not_free():
    assert set(asdict(TokenPrice()).values()) == {None}


def test_a_gpu_s_price_says_nothing_without_its_speed():
    with pytest.raises(TypeError, match="gpu_hour_usd"):
        GpuPrice()
