"""Values of theirs: lenient in how they are written, strict in what they are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.their_values import attempts, count, fails_beyond, flag, seconds, share

_ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)


@pytest.mark.parametrize(
    ("reader", "given", "read"),
    [
        (seconds, "600", 600.0),
        (seconds, 1e9, 86_400.0),
        (seconds, 0, None),
        (seconds, True, None),
        (seconds, math.nan, None),
        (seconds, "os.environ/TIMEOUT", None),
        (share, 0.25, 0.25),
        (share, -1, None),
        (count, "12", 12),
        (count, 12.0, 12),
        (count, 1.5, None),
        (count, 0, None),
        (attempts, 0, 1),
        (attempts, 99, 10),
        (attempts, -1, None),
        (fails_beyond, 3, 4),
        (fails_beyond, False, None),
        (flag, False, False),
        (flag, "true", None),
    ],
)
def test_a_value_is_read_or_none(reader: object, given: object, read: object) -> None:
    assert reader(given) == read  # type: ignore[operator]


@given(_ANY)
def test_nothing_raises(value: object) -> None:
    for reader in (seconds, share, count, attempts, fails_beyond, flag):
        reader(value)


def test_thousands_of_digits_are_no_number() -> None:
    assert count("9" * 5000) is count(16**5000) is share(16**5000) is None
