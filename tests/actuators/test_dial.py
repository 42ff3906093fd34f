"""Only an address that may be reached is connected to, whatever a name leads to meanwhile."""

import socket
import threading
from typing import Any

import pytest
from tests.actuators.receivers import Http

from tidegate.actuators import _dial
from tidegate.actuators._dial import Line, Peer, forbidden
from tidegate.core.notice import NotDelivered

ALWAYS = [
    *("169.254.169.254", "169.254.1.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("fd00:ec2::254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1"),
    *("255.255.255.255", "240.0.0.1", "ff02::1", "::ffff:169.254.169.254", "2002:a9fe:a9fe::"),
    *("64:ff9b::a9fe:a9fe", "::a9fe:a9fe"),
]
PRIVATE = [
    *("127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.5", "64:ff9b::7f00:1", "2002:7f00:1::"),
]
PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", ALWAYS)
def test_some_addresses_are_never_told_anything(address: str) -> None:
    assert forbidden(address, private=True) is not None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_only_where_that_is_declared(address: str) -> None:
    assert "private: true" in (forbidden(address, private=False) or "")
    assert forbidden(address, private=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert forbidden(address, private=False) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1"])
def test_no_way_of_writing_it_leads_home(http: Http, host: str) -> None:
    with pytest.raises(NotDelivered):
        Line(Peer(host, http.port))
    assert http.asked == []


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """What the name leads to, one list a lookup."""
    left = list(answers)

    def look_up(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (one, port)) for one in left.pop(0)]

    monkeypatch.setattr(_dial.socket, "getaddrinfo", look_up)


def test_a_name_is_looked_up_once_and_what_was_judged_is_connected_to(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ["169.254.169.254", "127.0.0.1"])
    with Line(Peer("hooks.example.com", http.port, private=True)) as line:
        assert line.socket.getpeername() == ("127.0.0.1", http.port)
    names(monkeypatch, ["127.0.0.1"], ["127.0.0.1"])
    with pytest.raises(NotDelivered, match="private"):
        Line(Peer("hooks.example.com", http.port))


def test_why_there_is_no_connection_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotDelivered, match="ConnectionRefusedError"):
        Line(Peer("127.0.0.1", port, private=True))
    with pytest.raises(NotDelivered, match="name is not found"):
        Line(Peer("no.such.name.invalid", 1, private=True))
    with pytest.raises(NotDelivered, match="not found"):
        Line(Peer("a" * 70 + ".example", 1, private=True))


def test_a_line_ends_however_busy_the_other_side_keeps_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = Peer("127.0.0.1", server.getsockname()[1], private=True)
        with Line(peer, after_s=0.05) as line:
            assert line.socket.recv(1) == b""


def test_no_thread_stays_behind() -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as server:
        with Line(Peer("127.0.0.1", server.getsockname()[1], private=True)) as line:
            pass
        line._timer.join()
    assert threading.active_count() <= before


def test_a_certificate_of_somebody_else_is_refused(server_tls: Any, ca_file: str) -> None:
    for trusted, host in ((None, "127.0.0.1"), (ca_file, "127.0.0.2")):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]

            def show(server: socket.socket = server) -> None:
                opened, _ = server.accept()
                with opened, pytest.raises(OSError):
                    server_tls.wrap_socket(opened, server_side=True).close()

            thread = threading.Thread(target=show)
            thread.start()
            with (
                Line(Peer("127.0.0.1", port, private=True)) as line,
                pytest.raises(NotDelivered, match="no TLS"),
            ):
                line.encrypt(Peer(host, port, True, trusted))
            thread.join()


def test_a_ca_file_that_is_none_is_said() -> None:
    with pytest.raises(NotDelivered, match="ca_file"):
        _dial.context(Peer("127.0.0.1", 1, ca_file="/no/such/file"))
