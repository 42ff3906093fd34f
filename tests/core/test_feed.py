"""Messages of the feed: framed, tagged, and strict about whose they are."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core import feed

numbers = st.integers(min_value=0, max_value=2**53)
names = st.text(max_size=30)
bodies = st.one_of(
    st.builds(
        feed.PlanPublished,
        version=numbers,
        plan=st.dictionaries(names, numbers).map(lambda d: msgspec.Raw(msgspec.msgpack.encode(d))),
    ),
    st.builds(feed.KeyChanged, key_id=names),
    st.builds(feed.Forget),
)
to_gateway = st.one_of(
    st.builds(feed.Entry, seq=numbers, body=bodies),
    st.builds(feed.Heartbeat, seq=numbers),
    st.builds(feed.Recorded, segment=numbers, offset=numbers),
)
from_gateway = st.one_of(
    st.builds(feed.Hello, gateway=names, pid=numbers, last_seq=numbers),
    st.builds(feed.Ack, seq=numbers, plan_version=numbers, error=st.none() | names),
    st.builds(
        feed.Status,
        gauges=st.dictionaries(names, st.floats(allow_nan=False)),
        counters=st.dictionaries(names, st.floats(allow_nan=False)),
    ),
)


def body_of(framed: bytes) -> bytes:
    (length,) = feed.LENGTH.unpack_from(framed)
    assert length == len(framed) - feed.LENGTH.size
    return framed[feed.LENGTH.size :]


@given(to_gateway)
def test_what_control_says_arrives(message: feed.ToGateway) -> None:
    body = body_of(feed.encode_message(message))
    again = feed.decode_to_gateway(body)
    assert feed.encode_message(again) == feed.encode_message(message)
    with pytest.raises(msgspec.DecodeError):
        feed.decode_from_gateway(body)


@given(from_gateway)
def test_what_a_gateway_says_arrives(message: feed.FromGateway) -> None:
    body = body_of(feed.encode_message(message))
    assert feed.decode_from_gateway(body) == message
    with pytest.raises(msgspec.DecodeError):
        feed.decode_to_gateway(body)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_by_one_error(body: bytes) -> None:
    for decode in (feed.decode_to_gateway, feed.decode_from_gateway):
        try:
            decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
