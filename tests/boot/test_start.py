"""What must hold before anything starts, and the one line when it does not."""

import os
import socket
from pathlib import Path

import pytest

from tidegate.boot.start import (
    CannotStart,
    bind,
    bound,
    local_url,
    lock,
    parse_option,
    prepare_state,
    raise_descriptor_limit,
)
from tidegate.core.address import Listen
from tidegate.core.layout import Layout


def test_a_bound_socket_takes_callers_before_anyone_accepts() -> None:
    with bind(Listen("127.0.0.1", 0), "--listen") as sock:
        address = bound(sock)
        assert address.port > 0
        with socket.create_connection((address.host, address.port), timeout=10):
            pass


def test_a_taken_port_says_which_setting_to_change() -> None:
    said = r"taken by another process.*with --control-listen"
    with bind(Listen("127.0.0.1", 0), "--listen") as sock, pytest.raises(CannotStart, match=said):
        bind(bound(sock), "--control-listen")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_says_so(host: str) -> None:
    with pytest.raises(CannotStart, match=f"{host}.*--listen|--listen {host}"):
        bind(Listen(host, 0), "--listen")


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        (Listen("127.0.0.1", 4000), "https://127.0.0.1:4000"),
        (Listen("0.0.0.0", 4000), "https://127.0.0.1:4000"),
        (Listen("::", 4000), "https://[::1]:4000"),
    ],
)
def test_the_address_for_a_client_on_this_machine(listen: Listen, url: str) -> None:
    assert local_url(listen, "https") == url


@pytest.mark.parametrize("text", ["", "4000", "host:", "host:port", "host:99999"])
def test_an_option_that_is_no_address_is_named(text: str) -> None:
    with pytest.raises(CannotStart, match=r"--listen .*expected host:port"):
        parse_option(text, "--listen")


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"not writable .*--state"):
        prepare_state(Layout(tmp_path / "file" / "state"))


def test_one_holder_a_lock_and_its_process_is_named(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "state")
    prepare_state(layout)
    path = layout.run / "supervisor.lock"
    said = rf"already runs on .*process {os.getpid()}\)"
    with lock(path, "tidegate up"), pytest.raises(CannotStart, match=said):
        lock(path, "tidegate up")
    lock(path, "tidegate up").close()


def test_the_descriptor_limit_is_only_ever_raised() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_descriptor_limit()
    after = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert after[0] >= before[0]
    assert after[1] == before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
