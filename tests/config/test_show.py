import pytest

from tidegate.config.show import (
    credential_text,
    deadlines_text,
    price_text,
    rate_text,
    short_price_text,
    table,
    url_text,
    usd_text,
)
from tidegate.core.plan import Deadlines, Price, Rate, Replica, SecretRef


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [(0, "0.00"), (600_000_000, "0.60"), (1, "0.000000001"), (150_000_000_000, "150.00")],
)
def test_dollars_without_loss(nanousd, text):
    assert usd_text(nanousd) == text


def test_prices():
    tiered = Rate(10**9, ((200_000, 2 * 10**9),))
    price = Price("v", "plan", input=tiered, output=Rate(5 * 10**8), request_nanousd=10**7)
    assert rate_text(tiered) == "1.00, 2.00 above 200000 input"
    assert price_text(price) == (
        "in 1.00, 2.00 above 200000 input, out 0.50 USD/Mtok + 0.01 USD/request"
    )
    assert short_price_text(price) == "1.00 / 0.50 +tiers"
    assert short_price_text(Price("v", "plan", input=Rate(10**9))) == "1.00 / -"


def test_unknown_is_not_free():
    assert price_text(None) == short_price_text(None) == "unknown"
    assert price_text(Price("free", "free")) == "free"
    assert rate_text(None) == "-"


def test_addresses_deadlines_and_credentials():
    assert url_text(Replica("r", "https", "::1", 443, "/v1")) == "https://[::1]/v1"
    assert url_text(Replica("r", "http", "a", 8000, "")) == "http://a:8000"
    assert deadlines_text(Deadlines(connect_s=0.5)) == "0.5 / 60 / 30 / 600"
    assert credential_text(None) == "none"
    assert credential_text(SecretRef(env="KEY")) == "${KEY}"


def test_a_table_lines_up_and_ends_without_spaces():
    assert table(("A", "B"), [("long", "x"), ("", "")]) == "A     B\nlong  x\n"
