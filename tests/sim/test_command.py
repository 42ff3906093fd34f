"""`python -m tidegate.sim serve` as a process, and how it reads its options."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from tidegate.sim.command import serve


@contextmanager
def process(*arguments: str, **options) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A running engine and its port."""
    command = [sys.executable, "-P", "-m", "tidegate.sim", "serve", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as child:
        try:
            assert child.stdout is not None
            ready, url = child.stdout.readline().split()
            assert ready == "ready"
            yield child, int(url.rpartition(":")[2])
        finally:
            child.kill()


def test_it_says_where_it_listens_and_ends_on_a_signal():
    with process("--listen", "127.0.0.1:0") as (child, port):
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200 OK")
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0


def test_it_ends_with_whoever_started_it():
    read_end, write_end = os.pipe()
    with process("--port", "0", "--parent-fd", str(read_end), pass_fds=(read_end,)) as (child, _):
        os.close(read_end)
        os.close(write_end)
        assert child.wait(10) == 0


def test_a_taken_port_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(serve, ["--port", str(port)])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: cannot listen on 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "huge"], "'huge' is not one of 'tiny'"),
        (["--fault", "cut every=0"], "every must be at least 1"),
        (["--listen", "here"], "'here' is not HOST:PORT"),
        (["--speed", "0"], "must be above 0"),
        (["--api-key-env", "NOT_SET_HERE"], "NOT_SET_HERE is not set"),
    ],
)
def test_a_bad_option_is_named(arguments, says):
    result = CliRunner().invoke(serve, arguments)
    assert result.exit_code != 0
    assert says in result.output


def test_a_bad_script_file_is_named(tmp_path: Path):
    file = tmp_path / "faults.yaml"
    file.write_text("- cut:x\n")
    result = CliRunner().invoke(serve, ["--faults", str(file)])
    assert f"{file}: cue 1: cut" in result.output
