"""Control's command line, and the socket that comes of it."""

import socket
from pathlib import Path

import pytest

from tidegate.control import options
from tidegate.core.address import Listen

NEEDED = ("--state", "here", "--plan", "tidegate.yaml")


def test_what_is_said_and_what_is_not() -> None:
    found = options.read(NEEDED)
    assert found.layout.state == Path("here").absolute()
    assert (found.plan_file, found.gateway_host) == (Path("tidegate.yaml"), "127.0.0.1")
    assert (found.listen, found.listen_fd) == (Listen("127.0.0.1", 4001), None)
    more = ("--listen", "[::1]:4100", "--gateway-host", "0.0.0.0", "--parent-fd", "7")
    told = options.read((*NEEDED, *more))
    assert (told.listen, told.gateway_host, told.parent_fd) == (Listen("::1", 4100), "0.0.0.0", 7)


@pytest.mark.parametrize(
    "wrong", [(), ("--state", "x"), (*NEEDED, "--listen", "nowhere"), (*NEEDED, "--listen-fd", "x")]
)
def test_what_cannot_be_read_ends_it_with_the_reason(
    wrong: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        options.read(wrong)
    assert ended.value.code == 2
    assert "tidegate.control: error:" in capsys.readouterr().err


def test_it_listens_where_it_is_told_or_on_the_socket_that_it_is_given() -> None:
    with options.listening(options.read((*NEEDED, "--listen", "127.0.0.1:0"))) as bound:
        assert not bound.getblocking()
        with socket.create_connection(bound.getsockname()):
            pass
    with socket.create_server(("127.0.0.1", 0)) as given:
        address = given.getsockname()
        handed = options.read((*NEEDED, "--listen-fd", str(given.detach())))
        with options.listening(handed) as taken:
            assert taken.getsockname() == address


def test_an_address_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(OSError, match="in use"):
            options.listening(options.read((*NEEDED, "--listen", taken)))
