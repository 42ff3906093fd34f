"""What a gateway's process is told, and what it listens on."""

import os
import socket
from pathlib import Path

import pytest

from tidegate.gateway.options import bound_socket, read_options, tls_of


def test_only_the_state_has_to_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    options = read_options(["--state", "s"])
    assert (options.state, options.slot, options.listen) == (Path("s"), 0, "127.0.0.1:4000")
    with pytest.raises(SystemExit):
        read_options([])
    assert "--state" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("listen", "family"),
    [("127.0.0.1:0", socket.AF_INET), ("[::1]:0", socket.AF_INET6)],
)
def test_a_socket_of_its_own(listen: str, family: int) -> None:
    with bound_socket(read_options(["--state", "s", "--listen", listen])) as sock:
        assert sock.family == family
        assert sock.getsockname()[1] > 0
        assert not sock.getblocking()
        taken = f"{listen.rpartition(':')[0]}:{sock.getsockname()[1]}"
        sock.listen()
        with pytest.raises(OSError, match="in use"):
            bound_socket(read_options(["--state", "s", "--listen", taken]))


def test_a_socket_that_was_handed_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        handed = os.dup(given.fileno())
        with bound_socket(read_options(["--state", "s", "--listen-fd", str(handed)])) as sock:
            assert sock.getsockname() == given.getsockname()


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    assert tls_of(read_options(["--state", "s"])) is None
    gone = str(tmp_path / "gone.pem")
    with pytest.raises(FileNotFoundError):
        tls_of(read_options(["--state", "s", "--tls-cert", gone, "--tls-key", gone]))
