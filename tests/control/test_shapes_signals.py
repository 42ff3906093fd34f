import msgspec
import pytest

from tidegate.control.shapes_signals import SeriesQuery


@pytest.mark.parametrize("names", ["", "a b", "A", "x" * 1001, "a;b"])
def test_names_are_words_with_commas(names: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"names": names}, SeriesQuery)


def test_the_last_hour_is_asked_for_unless_another_window_is() -> None:
    asked = msgspec.convert({"names": "ttft_p95_s,availability"}, SeriesQuery)
    assert (asked.since_s, asked.until_s, asked.apart) == (3600.0, None, "")
