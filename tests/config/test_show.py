import pytest
from msgspec.structs import replace

from tidegate.config.show import (
    credential_text,
    deadlines_text,
    limit_text,
    limit_texts,
    price_text,
    rate_text,
    short_price_text,
    table,
    url_text,
    usd_text,
)
from tidegate.core.plan import Limit, Raise, Replica
from tidegate.core.price import ImagePrice, Price, Rate
from tidegate.core.resilience import Deadlines
from tidegate.core.secret import SecretRef


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
    dear = Price("", "plan", input=Rate(10**9), audio_output=Rate(9 * 10**9))
    assert price_text(Price("v", "plan", input=Rate(1), service_tiers=(("priority", dear),))) == (
        "in 0.000000001 USD/Mtok; priority: in 1.00, audio out 9.00 USD/Mtok"
    )
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


LIMIT = Limit(
    name="x",
    kind="tokens",
    amount=200_000,
    scope=("team", "route"),
    only=(("environment", "test"),),
    per_s=60.0,
    burst=5,
    count="output",
    cached_weight=0.1,
    on_excess="alert",
    alert_percents=(50, 100),
)


def test_a_limit_in_its_parts_and_in_one_line():
    assert limit_texts(LIMIT) == (
        "200000 per 1m, 5 at once, counts output, cached x 0.1",
        "team + route",
        "environment test",
        "alert, alerts at 50/100 %",
    )
    assert limit_text(Limit("x", "concurrency", 5)) == "concurrency 5; beyond it: refuse"


def test_money_is_in_dollars_and_in_its_calendar():
    budget = Limit("b", "spend", 5 * 10**8, unit="month", time_zone="Europe/Berlin")
    assert limit_text(budget) == ("spend $0.50 per month in Europe/Berlin; beyond it: refuse")
    rolling = Limit("b", "spend", 5 * 10**9, per_s=86_400.0)
    assert limit_texts(rolling)[0] == "$5.00 in any 1d"


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "requests"},
        {"amount": 200_001},
        {"scope": ("team",)},
        {"only": ()},
        {"per_s": 61.0},
        {"unit": "day", "per_s": None},
        {"unit": "day", "per_s": None, "time_zone": "Asia/Tokyo"},
        {"burst": None},
        {"count": "total"},
        {"cached_weight": 0.2},
        {"on_excess": "refuse"},
        {"alert_percents": ()},
        {"raises": (Raise(50_000, 1.0),)},
        {"raises": (Raise(50_000, 1.0, (("key", "k"),)),)},
        {"unit": "lifetime", "per_s": None},
    ],
)
def test_no_part_of_a_limit_goes_unsaid(changes):
    assert limit_text(replace(LIMIT, **changes)) != limit_text(LIMIT)


def test_a_table_lines_up_and_ends_without_spaces():
    assert table(("A", "B"), [("long", "x"), ("", "")]) == "A     B\nlong  x\n"


def test_a_raise_says_whose_it_is_and_a_lifetime_is_in_all():
    raises = (Raise(5 * 10**9, 0.0), Raise(7 * 10**9, 0.0, (("team", "growth"),)))
    budget = Limit("b", "spend", 10**9, ("team",), unit="lifetime", raises=raises)
    text = limit_text(budget)
    assert "$1.00 in all" in text
    assert "$5.00 more until" in text
    assert "$7.00 more for team growth until" in text


def test_what_is_sold_by_other_units_is_shown():
    images = (ImagePrice(80_000_000, "1024x1024", "hd"), ImagePrice(40_000_000))
    price = Price("v", "plan", images=images, audio_nanousd_per_h=360_000_000)
    said = "1024x1024 hd 0.08 USD/image, 0.04 USD/image, 0.36 USD/hour of audio"
    assert price_text(price) == short_price_text(price) == said
    price = Price("v", "plan", input=Rate(10**9), search_nanousd=2_000_000, nanousd_per_mchar=10**9)
    assert price_text(price) == "in 1.00 USD/Mtok, 1.00 USD/Mchar, 0.002 USD/search"
