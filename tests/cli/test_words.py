"""Times and tables as people write and read them."""

from decimal import Decimal

import click
import pytest

from tidegate.cli._words import Duration, Moment, Usd, about, moment, pairs, table


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("30m", 1800), ("12h", 43200), ("90d", 7776000), ("2 w", 1209600)],
)
def test_durations_in_words(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds
    assert Duration().convert(seconds, None, None) == seconds


@pytest.mark.parametrize("text", ["", "90", "d", "1.5h", "-1h", "1y", "1h2m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no duration such as 90d"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00Z", "2026-03-01 13:00+01:00", "2026-03-01T07:00:00.0-05:00"]
)
def test_times_say_their_zone(text: str) -> None:
    assert Moment().convert(text, None, None) == 1_772_366_400.0
    assert Moment().convert(5.0, None, None) == 5.0
    with pytest.raises(click.BadParameter, match="does not say its zone"):
        Moment().convert("2026-03-01T12:00", None, None)
    with pytest.raises(click.BadParameter, match="no time such as"):
        Moment().convert("tomorrow", None, None)


def test_a_time_that_is_left_is_told_by_its_two_largest_units() -> None:
    told = [about(one) for one in (0, 0.4, 59, 540, 3594.2, 3600, 86_405, 190_000)]
    assert told == ["0s", "0s", "59s", "9m", "59m 54s", "1h", "1d", "2d 4h"]


def test_moments() -> None:
    assert moment(0) == "1970-01-01 00:00:00Z"
    assert moment(None) == "-"
    assert moment(None, "never") == "never"


def test_a_table_lines_up_without_trailing_spaces() -> None:
    text = table(("A", "LONG"), [("aaa", "b"), ("c", "")])
    assert text.splitlines() == ["A    LONG", "aaa  b", "c"]


def test_pairs() -> None:
    assert pairs(("a=b", "c=d=e", "f="), "--attribute") == {"a": "b", "c": "d=e", "f": ""}
    for wrong in ("a", "=b"):
        with pytest.raises(click.BadParameter, match="NAME=VALUE"):
            pairs((wrong,), "--attribute")


def test_dollars_are_exact() -> None:
    for text, dollars in (("500", "500"), ("$12.50", "12.50"), ("0.000000001", "0.000000001")):
        assert Usd().convert(text, None, None) == Decimal(dollars)
    for wrong in ("", "-1", "1e9", "1.0000000001", "NaN", "$$1"):
        with pytest.raises(click.BadParameter, match="no amount in dollars"):
            Usd().convert(wrong, None, None)
