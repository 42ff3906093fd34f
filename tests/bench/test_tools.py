"""The mock upstream and the load generator build, agree, and notice what is wrong."""

import json
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import install


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install.build_tools(tmp_path_factory.mktemp("bin"))


@pytest.fixture
def upstream(tools: Path) -> Iterator[int]:
    with subprocess.Popen([tools / "mock_upstream", "0"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


def tell(port: int, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def load(tools: Path, port: int, *options: object) -> dict[str, Any]:
    command = [str(tools / "loadgen"), "-p", str(port), *map(str, options)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    figures: dict[str, Any] = json.loads(said.stdout)
    return figures


def wrong(figures: dict[str, Any]) -> int:
    return sum(figures[kind] for kind in ("bad_status", "bad_body", "broken", "connect_errors"))


def test_plain_answers_are_good_and_both_sides_count_the_same(tools: Path, upstream: int) -> None:
    figures = load(tools, upstream, "-c", 8, "-N", 200)
    assert (figures["sent"], figures["ok"], wrong(figures)) == (200, 200, 0)
    assert tell(upstream, "/_stats")["requests"] == 201


def test_streams_are_good_and_both_sides_count_the_same(tools: Path, upstream: int) -> None:
    figures = load(tools, upstream, "-c", 8, "-N", 40, "-s")
    assert (figures["ok"], figures["chunks"], figures["ttft_n"]) == (40, 4000, 40)
    stats = tell(upstream, "/_stats")
    assert (stats["streams"], stats["connections"] - 1) == (40, 8)


def test_open_loop_sends_what_is_due_and_no_more(tools: Path, upstream: int) -> None:
    figures = load(tools, upstream, "-c", 50, "-r", 500, "-d", 0.4)
    assert figures["sent"] + figures["unsent"] in (199, 200, 201)
    assert wrong(figures) == 0


def test_open_loop_charges_the_wait_for_a_connection(tools: Path, upstream: int) -> None:
    tell(upstream, "/_ctl?chunks=3&delay=20")
    figures = load(tools, upstream, "-s", "-n", 3, "-c", 1, "-r", 100, "-d", 0.3)
    assert figures["waited"] > 0
    # Each stream lasts 40 ms and one is due every 10: the last waits for all those before it.
    assert figures["ttft_max"] > 10 * 40


def test_a_request_never_sent_is_counted_with_its_wait(tools: Path, upstream: int) -> None:
    tell(upstream, "/_ctl?chunks=2&delay=10000")
    figures = load(tools, upstream, "-s", "-n", 2, "-c", 1, "-r", 50, "-d", 0.2, "-q", 0.1)
    assert (figures["ok"], figures["unfinished"]) == (0, 1)
    assert figures["unsent"] + 1 == figures["samples"]


@pytest.mark.parametrize(
    ("control", "options"),
    [
        ("", ["-u", "/v1/models"]),  # another answer than the mock's completion
        ("", ["-s", "-n", 99]),  # one content frame too many
        ("?usage=0", []),
        ("?usage=0", ["-s"]),
    ],
)
def test_a_wrong_answer_is_noticed(
    tools: Path, upstream: int, control: str, options: list[object]
) -> None:
    tell(upstream, f"/_ctl{control}")
    figures = load(tools, upstream, "-c", 2, "-N", 10, *options)
    assert (figures["ok"], figures["bad_body"]) == (0, 10)
    assert figures["first_bad"]


def test_usage_left_out_is_accepted_when_asked(tools: Path, upstream: int) -> None:
    tell(upstream, "/_ctl?usage=0")
    assert load(tools, upstream, "-c", 2, "-N", 10, "-L")["ok"] == 10
    assert load(tools, upstream, "-c", 2, "-N", 10, "-L", "-s")["ok"] == 10


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], int]]:
    """A server that reads one request a connection, says the given bytes and closes; -> port."""
    listeners = []

    def serve(listener: socket.socket, answer: bytes) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    def start(answer: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_a_stream_cut_short_is_broken(tools: Path, answering: Callable[[bytes], int]) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    port = answering(head + b"b\r\ndata: t0k \n\r\n")
    figures = load(tools, port, "-s", "-N", 3)
    assert (figures["ok"], figures["broken"]) == (0, 3)


def test_an_error_status_is_counted(tools: Path, answering: Callable[[bytes], int]) -> None:
    body = b'{"error":{"message":"no"}}'
    head = b"HTTP/1.1 503 No\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    figures = load(tools, answering(head + body), "-N", 3)
    assert (figures["ok"], figures["bad_status"], figures["broken"]) == (0, 3, 0)
