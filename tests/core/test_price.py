"""What tokens cost: the rate of a tier, and prices within prices, on the way to a gateway."""

import msgspec
import pytest

from tidegate.core.price import Price, Rate


@pytest.mark.parametrize(
    ("tokens", "rate"), [(0, 5), (100, 5), (101, 7), (1_000, 7), (1_001, 9), (10**9, 9)]
)
def test_a_tier_begins_above_its_start(tokens: int, rate: int) -> None:
    assert Rate(5, ((100, 7), (1_000, 9))).at(tokens) == rate


def test_the_prices_of_classes_of_service_cross_processes_within_the_usual_one() -> None:
    flex = Price("v1", "plan", input=Rate(2, ((100, 3),)))
    price = Price("v1", "plan", input=Rate(5), service_tiers=(("flex", flex),))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(price), type=Price) == price
