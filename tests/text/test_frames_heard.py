"""How far a long file is read."""

import pytest
from tests.cpu import cpu_s
from tests.text.test_mpeg_audio import frame

from tidegate.text.frames_heard import MOST_FRAMES, Heard
from tidegate.text.mpeg_audio import heard

FRAME = frame(3, 1, 9, 0)  # MP3 of 44,100 Hz


def test_half_an_hour_is_read_and_what_is_behind_it_is_left() -> None:
    told = memoryview(FRAME * (MOST_FRAMES + 10))
    found = heard(told)
    assert isinstance(found, Heard) and found.unread_bytes == 10 * len(FRAME)
    assert found.seconds == pytest.approx(MOST_FRAMES * 1152 / 44_100)
    assert 1700 < found.seconds < 1800
    assert cpu_s(lambda: heard(told)) < 0.3
