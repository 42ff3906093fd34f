"""Durations and headers as OpenAI writes them."""

import pytest

from tidegate.core.limit import Moment
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.gateway import allowance
from tidegate.gateway.allowance import duration, rate_headers
from tidegate.gateway.gate import Gate
from tidegate.gateway.in_force import InForce
from tidegate.limits.requests import plug
from tidegate.stores.memory_counters import memory_counters


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0ms"),
        (0.12, "120ms"),
        (8.64, "8.64s"),
        (1.0, "1s"),
        (59.9999, "60s"),
        (360.0, "6m0s"),
        (7230.4, "2h0m30s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text.encode()


NOW = Moment(5.0, 1.0)


def taken(name: str, amount: int, used: int, per_s: float = 60.0) -> InForce:
    """A limit on requests of which so much is used."""
    limit = Limit(name, "requests", amount, per_s=per_s)
    shape = plug.shape(limit)
    assert shape is not None
    counters = memory_counters(shape)
    counters.take("", used, NOW)
    return InForce(limit, plug, counters)


def headers(*limits: InForce) -> list[str]:
    receipt = Receipt("id", 1.0, "g", "chat")
    return rate_headers(Gate(limits, receipt), receipt).decode().split("\r\n")[:-1]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance.clock, "monotonic_s", lambda: NOW.monotonic_s)


def test_the_tightest_rate_is_told() -> None:
    assert headers(taken("wide", 100, 10), taken("tight", 10, 4), taken("own", 5, 1)) == [
        "x-ratelimit-limit-requests: 10",
        "x-ratelimit-remaining-requests: 6",
        "x-ratelimit-reset-requests: 24s",
    ]
    assert headers() == []


def test_a_day_is_told_where_nothing_shorter_is() -> None:
    day = taken("day", 1000, 990, per_s=86_400.0)
    assert headers(day) == [
        "x-ratelimit-limit-requests: 1000",
        "x-ratelimit-remaining-requests: 10",
        "x-ratelimit-reset-requests: 24h23m55s",  # the part of the day that it was used in, whole
    ]
    assert headers(day, taken("minute", 100, 1))[0] == "x-ratelimit-limit-requests: 100"
    assert headers(taken("unused", 1000, 0, per_s=86_400.0))[1:] == [
        "x-ratelimit-remaining-requests: 1000",
        "x-ratelimit-reset-requests: 0ms",
    ]
