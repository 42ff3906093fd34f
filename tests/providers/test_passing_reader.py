"""Events out of bytes, one by one, and whatever comes back of them put together."""

from tidegate.providers._passing_reader import PassingReader
from tidegate.text.sse import MAX_EVENT_BYTES


class Reader(PassingReader):
    """Shows what it takes in capitals."""

    def _take(self, event: bytes) -> bytes:
        return event.upper()


def test_each_event_is_taken_by_itself_however_it_was_cut() -> None:
    reader = Reader()
    assert reader.feed(b"data: a\n\n") == b"DATA: A\n\n"
    assert reader.feed(b"data: b\n\ndata") == b"DATA: B\n\n"
    assert reader.feed(b": c\n\ndata: d\n\n") == b"DATA: C\n\nDATA: D\n\n"
    assert reader.failure is None


def test_an_event_that_does_not_end_is_malformed() -> None:
    reader = Reader()
    assert reader.feed(b"x" * (MAX_EVENT_BYTES + 1)) == b""
    assert reader.failure is not None and reader.failure.kind == "malformed"
