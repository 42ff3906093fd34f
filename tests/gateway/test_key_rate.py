"""A key that asks too often is told how long to wait, and nobody else is."""

import pytest

from tidegate.core.outcome import Refusal
from tidegate.gateway.key_rate import KeyRate


def test_a_burst_and_then_so_many_a_second() -> None:
    rate = KeyRate(2.0, 3, "ask")
    for _ in range(3):
        rate.admit("loud", 10.0)
    for _ in range(2):
        with pytest.raises(Refusal, match="may ask 2 times a second, 3 at once") as refused:
            rate.admit("loud", 10.0)
        assert refused.value.retry_after_s == pytest.approx(0.5)
    rate.admit("quiet", 10.0)
    rate.admit("loud", 10.5)
    with pytest.raises(Refusal):
        rate.admit("loud", 10.5)
    rate.admit("loud", 99.0)
    assert rate.refused == 3


def test_no_more_keys_are_known_than_fit() -> None:
    rate = KeyRate(1.0, 1, "ask")
    for number in range(10_002):
        rate.admit(f"{number}", 1.0)
    rate.admit("0", 1.0)  # forgotten, and so good as new
    with pytest.raises(Refusal):
        rate.admit("10001", 1.0)
