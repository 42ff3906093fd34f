"""Frames out of any slicing; no byte of one is believed that a checksum does not vouch for."""

import itertools
import struct
from typing import Any
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.text.frames import frame, headers_of, told

from tidegate.text.aws_frames import (
    MAX_FRAME_BYTES,
    MAX_HEADERS_BYTES,
    MAX_KNOWN,
    MAX_KNOWN_BYTES,
    Frame,
    FrameSplitter,
)

NUMBERS = {2: "!b", 3: "!h", 4: "!i", 5: "!q", 8: "!q"}
TALK = told("messageStart", b'{"role":"assistant"}') + b"".join(
    told("contentBlockDelta", b'{"delta":{"text":"%d"}}' % number) for number in range(3)
)


def number(kind: int, value: int) -> tuple[int, bytes]:
    return kind, struct.pack(NUMBERS[kind], value)


VALUES = st.one_of(
    st.booleans(),
    st.binary(max_size=20),
    st.text(max_size=20),
    st.tuples(st.just(9), st.binary(min_size=16, max_size=16)),
    st.integers(-128, 127).map(lambda value: number(2, value)),
    st.integers(-(2**15), 2**15 - 1).map(lambda value: number(3, value)),
    st.integers(-(2**31), 2**31 - 1).map(lambda value: number(4, value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: number(5, value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: number(8, value)),
)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def read(data: bytes) -> tuple[list[Frame], str | None]:
    splitter = FrameSplitter()
    return splitter.feed(data), splitter.problem


def read_in_pieces(data: bytes, cuts: list[int]) -> tuple[list[Frame], str | None]:
    splitter = FrameSplitter()
    edges = [0, *cuts, len(data)]
    frames = [found for a, b in itertools.pairwise(edges) for found in splitter.feed(data[a:b])]
    return frames, splitter.problem


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # Vectors of AWS's own libraries (aws-c-event-stream, botocore).
        ("000000100000000005c248eb7d98c8ff", Frame({}, b"")),
        (
            "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936",
            Frame({}, b"{'foo':'bar'}"),
        ),
        (
            "0000002b0000000e348bec7b086576656e742d6964040000a00c"
            "7b27666f6f273a27626172277dd3890285",
            Frame({"event-id": 40972}, b"{'foo':'bar'}"),
        ),
    ],
)
def test_published_frames_are_read(data: str, expected: Frame) -> None:
    assert read(bytes.fromhex(data)) == ([expected], None)


@settings(max_examples=100)
@given(
    headers=st.dictionaries(NAMES, VALUES, max_size=5),
    payload=st.binary(max_size=200),
    data=st.data(),
)
def test_any_slicing_reads_what_botocore_reads(
    headers: dict[str, Any], payload: bytes, data: st.DataObject
) -> None:
    stream = frame(headers, payload) + TALK + frame(headers, b"")
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    expected = [Frame(one.headers, one.payload) for one in buffer]
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    assert read(stream) == (expected, None)
    assert read_in_pieces(stream, cuts) == (expected, None)
    assert read_in_pieces(stream, list(range(len(stream)))) == (expected, None)


def test_a_frame_comes_with_its_last_byte_and_not_before() -> None:
    splitter = FrameSplitter()
    one = told("messageStart", b"{}")
    for at in range(len(one) - 1):
        assert splitter.feed(one[at : at + 1]) == []
    assert len(splitter.feed(one[-1:])) == 1
    assert splitter.feed(b"") == []


@pytest.mark.parametrize("bit", [0, 7])
def test_a_changed_byte_anywhere_ends_the_reading(bit: int) -> None:
    first, second = told("messageStart", b"{}"), told("messageStop", b'{"stopReason":"end_turn"}')
    for at in range(len(second)):
        changed = bytearray(second)
        changed[at] ^= 1 << bit
        frames, problem = read(first + bytes(changed) + first)
        assert [one.headers[":event-type"] for one in frames] == ["messageStart"]
        # A changed length is caught by the prelude's own checksum, before anything is waited for.
        assert problem is not None, at


def prelude(total_bytes: int, headers_bytes: int) -> bytes:
    lengths = struct.pack("!II", total_bytes, headers_bytes)
    return lengths + struct.pack("!I", crc32(lengths))


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        (prelude(MAX_FRAME_BYTES + 1, 0), "a frame is too long"),
        (prelude(2**32 - 1, 2**32 - 1), "a frame is too long"),
        (prelude(MAX_FRAME_BYTES, MAX_HEADERS_BYTES + 1), "a frame is too long"),
        (prelude(15, 0), "a frame is shorter than its parts"),
        (prelude(0, 0), "a frame is shorter than its parts"),
        (prelude(16, 1), "a frame is shorter than its parts"),
    ],
)
def test_an_impossible_length_is_seen_at_once(start: bytes, problem: str) -> None:
    assert read(start) == ([], problem)
    assert read(start[:11]) == ([], None)


def test_the_longest_frame_is_read() -> None:
    payload = bytes(MAX_FRAME_BYTES - 16)
    frames, problem = read_in_pieces(frame({}, payload), [12, 70_000, 3_000_000])
    assert (frames, problem) == ([Frame({}, payload)], None)


@pytest.mark.parametrize(
    "headers",
    [
        b"\x00\x00",  # a header without a name
        b"\x01a",  # no kind
        b"\x05a",  # a name that is cut off
        b"\x01a\x0a",  # a kind that there is not
        b"\x01a\x04\x00\x00",  # a number that is cut off
        b"\x01a\x07\x00\x05abc",  # a text that is cut off
        b"\x01a\x06\x00",  # a length that is cut off
        b"\x01a\x09abc",  # an id that is cut off
        b"\x01a\x07\x00\x01\xff",  # a text that is not UTF-8
        b"\x01\xff\x00",  # a name that is not UTF-8
        headers_of({"a": True}) * 2,
    ],
)
def test_headers_that_cannot_be_read_end_the_reading(headers: bytes) -> None:
    good = told("messageStart", b"{}")
    frames, problem = read(good + frame(headers, b"") + good)
    assert (len(frames), problem) == (1, "a frame's headers cannot be read")


@settings(max_examples=100)
@given(data=st.data())
def test_hostile_bytes_never_raise_and_mean_the_same_in_any_slicing(data: st.DataObject) -> None:
    pieces = st.one_of(
        st.binary(max_size=40),
        st.binary(max_size=40).map(lambda raw: frame(raw, b"{}")),
        st.just(TALK),
        st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: prelude(*pair)),
    )
    stream = b"".join(data.draw(st.lists(pieces, max_size=5)))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    assert read_in_pieces(stream, cuts) == read(stream)
    assert read_in_pieces(stream, list(range(len(stream)))) == read(stream)


def test_what_is_kept_of_headers_is_bounded() -> None:
    splitter = FrameSplitter()
    for number_ in range(MAX_KNOWN * 3):
        splitter.feed(frame({f"h{number_}": True}, b""))
    splitter.feed(frame({"long": "x" * MAX_KNOWN_BYTES}, b""))
    assert len(splitter._known) == MAX_KNOWN
    assert splitter.problem is None
