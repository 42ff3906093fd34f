"""Money and sizes as integers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.units import (
    NANOUSD_PER_USD,
    format_duration,
    format_usd,
    parse_size_bytes,
    usd_to_nanousd,
)


@given(st.integers(min_value=0, max_value=10**18))
def test_formatting_loses_nothing(nanousd: int) -> None:
    assert usd_to_nanousd(Decimal(format_usd(nanousd))) == nanousd


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [(0, "0.00"), (123_000, "0.000123"), (NANOUSD_PER_USD, "1.00"), (1, "0.000000001")],
)
def test_dollars_read_well(nanousd: int, text: str) -> None:
    assert format_usd(nanousd) == text


@pytest.mark.parametrize(
    ("usd", "nanousd"), [("0.0000000005", 0), ("0.0000000015", 2), ("0.00000000051", 1)]
)
def test_a_half_goes_to_the_even_side(usd: str, nanousd: int) -> None:
    assert usd_to_nanousd(Decimal(usd)) == nanousd


@pytest.mark.parametrize(
    ("text", "size"),
    [("4096", 4096), ("64MiB", 64 * 2**20), (" 1 GB ", 10**9), ("3KB", 3000), ("7B", 7)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "1.5GB", "-1", "1TB", "1 mib", "0x10", "1e6"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size such as"):
        parse_size_bytes(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2_592_000, "30d"), (86_400, "24h"), (5400, "90m"), (45, "45s"), (90, "90s"), (1.5, "1.5s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
