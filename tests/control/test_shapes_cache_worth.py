"""What may be asked of the worth of caches."""

import msgspec
import pytest

from tidegate.control.shapes_cache_worth import WorthQuery


def test_a_window_is_of_the_past_and_a_route_has_a_name() -> None:
    assert msgspec.convert({}, WorthQuery) == WorthQuery(86_400.0, None)
    for wrong in ({"since_s": 0}, {"since_s": 1e9}, {"route": ""}, {"tier": "exact"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, WorthQuery)
