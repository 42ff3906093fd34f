from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stores.redis_wire import Malformed, RedisRefused, Replies, Reply, encode

ANSWERS = st.recursive(
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.binary(max_size=40)),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


def wire(value: Reply) -> bytes:
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, bytes):
        return b"$%d\r\n%b\r\n" % (len(value), value)
    assert isinstance(value, list)
    return b"*%d\r\n" % len(value) + b"".join(map(wire, value))


@given(values=st.lists(ANSWERS, max_size=6), cuts=st.lists(st.integers(0, 200)))
def test_replies_come_out_whole_however_they_were_cut(values: list[Reply], cuts: list[int]) -> None:
    data, replies, got = b"".join(map(wire, values)), Replies(), []
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    for start, end in pairwise(places):
        got += replies.feed(data[start:end])
    assert got == values


def test_simple_texts_and_no_list() -> None:
    assert Replies().feed(b"+OK\r\n*-1\r\n") == [b"OK", None]


def test_an_error_is_a_reply_with_its_kind() -> None:
    (reply,) = Replies().feed(b"-READONLY You can't write against a read only replica.\r\n")
    assert isinstance(reply, RedisRefused)
    assert reply.kind == "READONLY"


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n", b":one\r\n", b"$x\r\n", b"\r\n"])
def test_what_is_no_reply_is_said(data: bytes) -> None:
    with pytest.raises(Malformed):
        Replies().feed(data)


def test_a_reply_without_an_end_has_one() -> None:
    replies = Replies()
    with pytest.raises(Malformed, match="too long"):
        for _ in range(6):
            replies.feed(b"$99999999\r\n" + b"x" * 1_000_000)


def test_a_command_is_words_with_their_lengths() -> None:
    assert encode("SET", b"k\r\n", 1.5) == b"*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$3\r\n1.5\r\n"
