"""Server-sent events out of any slicing, beside the format's own text turned into code."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text import sse
from tidegate.text.sse import SseSplitter, data_of

LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.sampled_from(
    [b"data: a", b"data:b", b"data", b"data:  c", b": comment", b"", b"", b"event: x", b"id: 1"]
) | st.binary(max_size=5).map(lambda b: b"data: " + b.translate(None, b"\r\n"))
STREAMS = (
    st.lists(st.tuples(LINES, LINE_ENDS), max_size=20).map(
        lambda lines: b"".join(line + end for line, end in lines)
    )
    | st.lists(LINES, max_size=20).map(lambda lines: b"".join(line + b"\n\n" for line in lines))
    | st.lists(LINES, max_size=20).map(lambda lines: b"".join(line + b"\r\n\r\n" for line in lines))
)


def obvious(stream: bytes) -> list[bytes]:
    """The payloads of all finished events with data, as the standard's text says."""
    payloads, data = [], []
    lines = re.split(rb"\r\n|\n|\r", stream.removeprefix(b"\xef\xbb\xbf"))
    for line in lines[:-1]:
        if not line:
            if data:
                payloads.append(b"\n".join(data))
            data = []
        elif line == b"data" or line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
    return payloads


def split(parts: list[bytes]) -> tuple[list[bytes], bytes]:
    """(payloads, all raw bytes): what is left at the end belongs to the bytes only."""
    splitter = SseSplitter()
    events = [event for part in parts for event in splitter.feed(part)]
    rest = splitter.flush()
    whole = rest if rest.endswith(b"\r") and re.search(rb"(\r\n|\n|\r)\r$", rest) else b""
    payloads = [data_of(event) for event in [*events, whole] if event]
    return [p for p in payloads if p is not None], b"".join(events) + rest


def sliced(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(at for at in cuts if at < len(stream)), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges) if a < b]


@given(STREAMS, st.lists(st.integers(0, 200), max_size=8), st.booleans())
def test_any_slicing_gives_the_same_events_and_bytes(
    stream: bytes, cuts: list[int], marked: bool
) -> None:
    stream = b"\xef\xbb\xbf" * marked + stream
    expected = obvious(stream)
    for parts in ([stream], sliced(stream, cuts), [stream[i : i + 1] for i in range(len(stream))]):
        assert split(parts) == (expected, stream)


def test_a_line_feed_too_many_is_not_lost() -> None:
    splitter = SseSplitter()
    assert splitter.feed(b"data: a\n\ndata: b\n\n\n") == [b"data: a\n\n", b"data: b\n\n"]
    assert splitter.flush() == b"\n"


def test_a_crlf_too_many_begins_the_next_event() -> None:
    splitter = SseSplitter()
    events = [b"data: a\r\n\r\n", b"\r\ndata: b\r\n\r\n"]
    assert splitter.feed(b"".join(events)) == events
    assert splitter.feed(events[0] + b"\r\n") == [events[0]]
    assert splitter.flush() == b"\r\n"


def test_an_unfinished_last_event_is_left_over() -> None:
    splitter = SseSplitter()
    assert splitter.feed(b"data: a\n\ndata: b\n") == [b"data: a\n\n"]
    assert splitter.flush() == b"data: b\n"
    assert splitter.flush() == b""


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data: x\r\n\r\n", b"x"),
        (b"data: x\ndata: y\r\n\r\n", b"x\ny"),
        (b"data: x\rdata: y\r\n\r\n", b"x\ny"),
        (b"data:x\r\r", b"x"),
        (b"data: x\rdata: y\n\n", b"x\ny"),
        (b"data\n\n", b""),
        (b": comment\n\n", None),
        (b"event: x\n\n", None),
        (b"database: x\n\n", None),
        (b"\xef\xbb\xbfdata: x\n\n", b"x"),
        (b"id: 1\ndata: x\r\nevent: y\ndata: z\r\n\r\n", b"x\nz"),
    ],
)
def test_the_payload_is_that_of_the_data_lines(event: bytes, data: bytes | None) -> None:
    assert data_of(event) == data


def test_an_event_without_an_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    splitter = SseSplitter()
    assert splitter.feed(b"data: " + b"x" * 94) == []
    assert splitter.problem is None
    assert splitter.feed(b"x") == []
    assert splitter.problem is not None and not splitter.rest
    assert splitter.feed(b"\n\ndata: y\n\n") == []


@given(st.lists(st.sampled_from([90, 91, 92, 93, 500]), max_size=4), st.lists(st.integers(0, 700)))
def test_an_event_too_long_ends_the_reading_in_any_slicing(
    sizes: list[int], cuts: list[int]
) -> None:
    """With its blank line an event has 8 bytes more than its text; 100 are the most."""
    stream = b"".join(b"data: " + b"x" * size + b"\n\n" for size in sizes)
    good = list(itertools.takewhile(lambda size: size <= 92, sizes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sse, "MAX_EVENT_BYTES", 100)
        for parts in (
            [stream],
            sliced(stream, cuts),
            [stream[i : i + 1] for i in range(len(stream))],
        ):
            splitter = SseSplitter()
            events = [event for part in parts for event in splitter.feed(part)]
            assert [len(event) - 8 for event in events] == good
            assert (splitter.problem is None) == (good == sizes)


def test_what_is_held_is_read_once_however_small_the_reads() -> None:
    """A provider that sends an event byte by byte costs a read for each byte, and no copy of all
    that came before."""
    splitter = SseSplitter()
    splitter.feed(b"data: " + b"x" * 1_000_000)
    held = splitter.rest
    for _ in range(100):
        assert splitter.feed(b"y") == []
    assert splitter.rest is held and len(held) == 1_000_106
