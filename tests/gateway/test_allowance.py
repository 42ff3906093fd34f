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


def test_the_tightest_rate_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Moment(5.0, 1.0)
    monkeypatch.setattr(allowance.clock, "monotonic_s", lambda: now.monotonic_s)
    limits = []
    for name, amount, taken in (("wide", 100, 10), ("tight", 10, 4), ("own", 5, 1)):
        limit = Limit(name, "requests", amount, per_s=60.0)
        shape = plug.shape(limit)
        assert shape is not None
        limits.append(InForce(limit, plug, memory_counters(shape)))
        counters = limits[-1].counters
        assert counters is not None
        counters.take("", taken, now)
    receipt = Receipt("id", 1.0, "g", "chat")
    assert rate_headers(Gate(tuple(limits), receipt), receipt).decode().split("\r\n")[:3] == [
        "x-ratelimit-limit-requests: 10",
        "x-ratelimit-remaining-requests: 6",
        "x-ratelimit-reset-requests: 24s",
    ]
    assert rate_headers(Gate(()), receipt) == b""
