import asyncio

import msgspec
import pytest

from tidegate.control import feed_connection
from tidegate.control.feed_connection import Connection, read_message
from tidegate.core import feed
from tidegate.core.feed import Ack, Entry, Forget, Hello


class Writer:
    """A stream whose other end does not read: everything stays in its buffer."""

    def __init__(self) -> None:
        self.transport = self
        self.written = b""
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return len(self.written)

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def connection(writer: Writer) -> Connection:
    return Connection(Hello("gateway-0", 7, 3), writer)  # type: ignore[arg-type]


def test_a_gateway_that_does_not_read_is_cut_and_not_waited_for(
    connection: Connection, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_connection, "_MAX_UNSENT_BYTES", 100)
    while not writer.aborted:
        assert len(writer.written) <= 200
        connection.beat()
    unsent = writer.written
    connection.beat()
    assert writer.written == unsent


def test_what_was_told_and_what_is_obeyed_may_go_back(connection: Connection) -> None:
    assert (connection.told_seq, connection.state.seq) == (3, 3)
    connection.tell(Entry(2, Forget()))
    connection.state.obeys(Ack(2, 9, "why not"))
    state = connection.state
    assert (connection.told_seq, state.seq, state.plan_version, state.error) == (
        *(2, 2, 9),
        "why not",
    )


def test_a_gateway_that_is_up_to_date_says_what_it_obeys(writer: Writer) -> None:
    for last_seq, version, known in ((3, 9, 9), (3, 0, None), (0, 9, None)):
        hello = Hello("gateway-0", 7, last_seq, version)
        found = Connection(hello, writer)  # type: ignore[arg-type]
        assert found.state.plan_version == known


def test_a_message_is_read_whole_and_one_that_is_too_long_is_not() -> None:
    async def main() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(feed.encode_message(Ack(4, 1)))
        reader.feed_data(feed.LENGTH.pack(feed.MAX_MESSAGE_BYTES + 1))
        assert await read_message(reader) == Ack(4, 1)
        with pytest.raises(msgspec.DecodeError, match="bytes"):
            await read_message(reader)
        reader.feed_eof()
        with pytest.raises(EOFError):
            await read_message(reader)

    asyncio.run(main())
