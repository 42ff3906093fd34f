"""What a gateway obeys of batches survives the way to it."""

import msgspec

from tidegate.core.batches import MAX_LINES, Batches
from tidegate.core.price import Price, Rate


def test_it_comes_back_from_the_wire_as_it_went():
    price = Price("p x0.5", "plan", input=Rate(1, ((5, 2),)))
    for one in (Batches(), Batches(price, 7)):
        wire = msgspec.msgpack.encode(one)
        assert msgspec.msgpack.decode(wire, type=Batches) == one
    assert Batches().max_lines == MAX_LINES
