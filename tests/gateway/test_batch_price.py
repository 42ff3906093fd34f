"""A price that is pinned is the price again."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.price import Price, Rate
from tidegate.gateway.batch_price import Pinned, pinned, price_of

RATES = st.none() | st.builds(
    Rate,
    st.integers(0, 10**15),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**15)), max_size=3).map(tuple),
)
CLASSES = ("input", "output", "cache_read", "cache_write", "reasoning", "cache_write_1h")


@given(st.fixed_dictionaries(dict.fromkeys(CLASSES, RATES)), st.integers(0, 10**12))
def test_a_pinned_price_is_the_same_price(rates, request_nanousd):
    price = Price("v", "plan", request_nanousd=request_nanousd, **rates)
    data = msgspec.msgpack.encode(pinned(price))
    assert price_of(msgspec.msgpack.decode(data, type=Pinned)) == price


def test_no_price_is_none():
    assert pinned(None) is None
    assert price_of(pinned(Price("free", "free"))) == Price("free", "free")
