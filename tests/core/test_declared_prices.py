import pytest
from msgspec.structs import asdict, fields

from tidegate.core.declared_prices import GpuPrice, TierPrice, TokenPrice


def test_which_price_is_meant_shows_by_its_keys():
    assert not {f.name for f in fields(TokenPrice)} & {f.name for f in fields(GpuPrice)}


def test_a_token_class_that_is_not_written_is_unknown_and_not_free():
    classes = asdict(TokenPrice())
    assert classes.pop("service_tiers") == classes.pop("images") == {}
    assert set(classes.values()) == {None}


def test_a_class_of_service_has_its_own_input_and_output():
    assert {f.name for f in fields(TierPrice)} < {f.name for f in fields(TokenPrice)}
    with pytest.raises(TypeError, match="input_usd_per_mtok"):
        TierPrice()


def test_a_gpu_s_price_says_nothing_without_its_speed():
    with pytest.raises(TypeError, match="gpu_hour_usd"):
        GpuPrice()
