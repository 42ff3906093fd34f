from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.scalars import EXPECTED, READERS
from tidegate.config.walk import _REFERENCES
from tidegate.core.declared_budgets import Period


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        ("int", "-7", -7),
        ("float", ".5", 0.5),
        ("float", "1e3", 1000.0),
        ("bool", "true", True),
        ("bool", "false", False),
        ("size", "4096", 4096),
        ("size", "64MiB", 64 * 1024 * 1024),
        ("size", "1 GB", 10**9),
        ("duration", "10", 10.0),
        ("duration", "0.25", 0.25),
        ("duration", "500ms", 0.5),
        ("duration", "1.5h", 5400.0),
        ("duration", "90d", 90 * 86400.0),
        ("usd", "0.1", Decimal("0.1")),
        ("usd", "1e-9", Decimal("1e-9")),
        ("usd", "0.1000000000000", Decimal("0.1")),
        ("money", "$500", Decimal(500)),
        ("money", "0.50", Decimal("0.5")),
        ("money", "$1000000000", Decimal(10**9)),
        ("quantity", "600", 600),
        ("quantity", "200k", 200_000),
        ("quantity", "1.5 M", 1_500_000),
        ("percent", "80%", 80),
        ("percent", "80", 80),
        ("percentage", "99.95%", Decimal("99.95")),
        ("percentage", "99", Decimal(99)),
        ("moment", "2026-12-01T06:00:00Z", 1796104800.0),
        ("moment", "2026-12-01T07:00+01:00", 1796104800.0),
        ("rate_period", "minute", 60.0),
        ("rate_period", "day", 86400.0),
        ("rate_period", "10m", 600.0),
        ("budget_period", "month", Period(unit="month")),
        ("budget_period", "24h", Period(rolling_s=86400.0)),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("time_zone", "UTC", "UTC"),
        ("dimension", "end_user", "end_user"),
        ("dimension", "attribute.feature", "attribute.feature"),
        ("scope", "global", "global"),
        ("scope", "provider", "provider"),
        ("path", "a//b/", "a/b"),
        ("name", "gpt-4.1_x", "gpt-4.1_x"),
        ("route", "acme/chat model", "acme/chat model"),
        ("header", "X-Title", "x-title"),
        ("text", "größe", "größe"),
        ("host", "Ops.Example.com", "ops.example.com"),
        ("origin", "https://ops", "https://ops"),
    ],
)
def test_a_reading(read, text, value):
    found = READERS[read](text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ("int", "1.0"),
        ("int", "0x10"),
        ("int", "\u0661"),
        ("int", "9" * 19),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1e999"),
        ("float", "."),
        ("bool", "True"),
        ("bool", "yes"),
        ("size", "1 TB"),
        ("size", "1.5GB"),
        ("size", "-1"),
        ("duration", "10 seconds"),
        ("duration", "1h30m"),
        ("usd", "-0.1"),
        ("usd", "$1"),
        ("usd", "1000000.01"),
        ("usd", "1e-10"),
        ("money", "-1"),
        ("money", "$-1"),
        ("money", "5$"),
        ("money", "1e99"),
        ("money", "1000000000.01"),
        ("money", "1e-10"),
        ("quantity", "-5"),
        ("quantity", "1.5"),
        ("quantity", "1.2345k"),
        ("quantity", "2K"),
        ("quantity", "1e6"),
        ("percent", "-1%"),
        ("percent", "1.5%"),
        ("percentage", "-1%"),
        ("percentage", "99.9 percent"),
        ("percentage", "nan"),
        ("moment", "2026-12-01T06:00:00"),
        ("moment", "tomorrow"),
        ("moment", "2026-13-01T06:00:00Z"),
        ("rate_period", "month"),
        ("rate_period", "minutes"),
        ("budget_period", "minute"),
        ("budget_period", "0.5s"),
        ("budget_period", "367d"),
        ("time_zone", "Europe/Berln"),
        ("time_zone", "Europe"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "/etc/localtime"),
        ("dimension", "global"),
        ("dimension", "tenant"),
        ("dimension", "attribute."),
        ("dimension", "attribute.a b"),
        ("scope", "keys"),
        ("text", "a\x1bb"),
        ("text", "a\ud800"),
        ("path", ""),
        ("path", "~/x"),
        ("name", "-a"),
        ("name", "a b"),
        ("name", ""),
        ("route", " a"),
        ("route", "a\u2028b"),
        ("header", "a:b"),
        ("header", "Host"),
        ("header", "COOKIE"),
        ("header", "X-Goog-Api-Key"),
    ],
)
def test_what_a_reading_refuses(read, text):
    with pytest.raises(ValueError):
        READERS[read](text)


def test_every_reading_says_what_it_expects():
    assert EXPECTED.keys() == READERS.keys() | _REFERENCES.keys() | {"json", "value"}


def test_an_unknown_time_zone_names_the_nearest():
    with pytest.raises(ValueError, match=r"did you mean \"Europe/Berlin\"\?"):
        READERS["time_zone"]("Europe/Berln")


@given(st.sampled_from(sorted(READERS)), st.text(max_size=80))
def test_any_text_is_a_value_or_a_value_error(read, text):
    try:
        READERS[read](text)
    except ValueError:
        return


@given(st.decimals(0, 1000, allow_nan=False, places=9))
def test_dollars_are_read_exactly(amount):
    assert READERS["usd"](f"{amount:f}") == amount
