"""Nothing known is a value of its own."""

import msgspec
import pytest

from tidegate.core.signal import NoData, Signal, Value


@pytest.mark.parametrize("reading", [Value(0.0), NoData("stale")])
def test_a_reading_is_told_from_its_absence_when_it_is_read_back(reading: Value | NoData) -> None:
    one = Signal("error_share", "share", "chat", 60.0, reading, 5.0)
    assert msgspec.json.decode(msgspec.json.encode(one), type=Signal) == one


def test_nothing_known_is_no_number() -> None:
    assert NoData("missing") != Value(0.0)
    with pytest.raises(TypeError):
        sorted([NoData("missing"), Value(1.0)])  # type: ignore[type-var]
