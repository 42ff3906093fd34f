import msgspec
import pytest

from tidegate.core.signal import NoData, Signal, Value


@pytest.mark.parametrize("reading", [Value(0.0), NoData("stale")])
def test_what_is_known_and_what_is_not_stay_apart_in_the_store(reading: Value | NoData) -> None:
    signal = Signal("ttft", "s", "chat", 60.0, reading, 5.0)
    assert msgspec.json.decode(msgspec.json.encode(signal), type=Signal) == signal


def test_no_data_is_no_number() -> None:
    assert NoData("missing") != Value(0.0)
    with pytest.raises(TypeError):
        _ = NoData("missing") < Value(1.0)  # type: ignore[operator]
