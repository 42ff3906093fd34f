import msgspec
import pytest

from tidegate.control.shapes_notices import NewSilence, WayView
from tidegate.stores.told import Delivery


@pytest.mark.parametrize(
    "body",
    [
        b'{"matchers": {}, "lasts_s": 60}',
        b'{"matchers": {"topic": "weather"}, "lasts_s": 60, "reason": "x"}',
        b'{"matchers": {"team": "a"}, "lasts_s": 60, "reason": "x"}',
        b'{"matchers": {}, "lasts_s": 0, "reason": "x"}',
        b'{"matchers": {}, "lasts_s": 1e9, "reason": "x"}',
        b'{"matchers": {}, "lasts_s": 60, "reason": ""}',
    ],
)
def test_a_silence_says_what_how_long_and_why(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=NewSilence)


def test_a_way_without_a_message_waits() -> None:
    assert WayView.of("chat", None).state == "waiting"
    sent = Delivery("d1", "chat", "page", None, 1.0, 2.0, 3, "dead", "status 400", 4.0)
    assert WayView.of("chat", sent) == WayView("chat", "dead", "d1", 3, "status 400", 4.0)
