"""Fetching an engine's page: within time and bytes, from its own host alone."""

import socket
import ssl
import time

import pytest
from tests.record.engines import Talk, answer, plan, serving

from tidegate.core.secret import Secret, SecretRef
from tidegate.record import engine_pages
from tidegate.record.engine_pages import Followed, Page, Unreachable, fetch, pages_of

TWO = "{provider: gpu, model: m, price: free, replicas: {a: 'http://h:1/v1', b: 'https://[::1]/v1'}"


def test_every_replica_of_an_engine_has_a_page() -> None:
    found = pages_of(plan(f"  pool: {TWO}}}\n  gpt: {{provider: cloud, model: gpt-5-mini}}"))
    assert found == [
        Followed("pool", "a", Page("vllm", "http://h:1/metrics")),
        Followed("pool", "b", Page("vllm", "https://[::1]:443/metrics")),
    ]


def test_another_port_and_path() -> None:
    metrics = "{engine: trtllm, port: 9000}"
    found = pages_of(plan(f"  pool: {TWO}, metrics: {metrics}}}"))
    assert [one.page.url for one in found] == [
        "http://h:9000/prometheus/metrics",
        "https://[::1]:9000/prometheus/metrics",
    ]
    assert pages_of(plan(f"  pool: {TWO}, metrics: none}}")) == []


def test_a_page_is_asked_for_plainly_and_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(answer(b"e:a 1\n")) as (port, asked):
        assert fetch(Page("vllm", f"http://127.0.0.1:{port}/metrics")) == b"e:a 1\n"
    request = asked[0].lower()
    assert request.startswith(b"get /metrics http/1.1\r\n")
    assert b"accept-encoding: identity" in request
    assert b"authorization" not in request


@pytest.mark.parametrize(
    ("metrics", "line"),
    [
        ("{api_key: '${PAGE_KEY}'}", b"authorization: bearer hush\r\n"),
        ("{api_key: 'os.environ/PAGE_KEY', header: X-API-Key}", b"x-api-key: hush\r\n"),
    ],
)
def test_a_page_s_own_key_is_sent_to_it_and_nowhere_else(metrics: str, line: bytes) -> None:
    redirected = answer(b"", "302 Found", "location: http://127.0.0.1:1/metrics")
    with serving(answer(b"e:a 1\n")) as (port, asked), serving(redirected) as (other, _):
        pools = [
            f"  {name}: {{provider: gpu, model: m, price: free, metrics: {metrics}, "
            f"replicas: ['http://127.0.0.1:{at}/v1']}}"
            for name, at in (("a", port), ("b", other))
        ]
        [of_a, of_b] = pages_of(plan("\n".join(pools)))
        assert fetch(of_a.page, lambda _: Secret("hush")) == b"e:a 1\n"
        with pytest.raises(Unreachable, match="status 302"):
            fetch(of_b.page, lambda _: Secret("hush"))
    assert line in asked[0].lower()
    assert "hush" not in repr(of_a.page)


def test_a_page_whose_key_is_not_there_is_not_asked() -> None:
    with serving(answer(b"e:a 1\n")) as (port, asked):
        page = Page("vllm", f"http://127.0.0.1:{port}/metrics", api_key=SecretRef(env="PAGE_KEY"))
        with pytest.raises(Unreachable, match=r"its key \$\{PAGE_KEY\} is not to be had"):
            fetch(page, lambda _: None)
    assert asked == []


def hang(_connection: socket.socket) -> None:
    time.sleep(1.0)


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(20):
        connection.sendall(b"x")
        time.sleep(0.05)


def flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"e:a 1\n" * 10_000)


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (answer(b"no", "401 Unauthorized"), "status 401"),
        (answer(b"", "302 Found", "location: http://169.254.169.254/"), "status 302"),
        (answer(b"x", "200 OK", "content-encoding: gzip"), "compressed"),
        (lambda connection: connection.sendall(b"nonsense\r\n\r\n"), "ProtocolError"),
        (lambda connection: None, "ProtocolError"),
        (
            lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ne"),
            "ProtocolError",
        ),
        (flood, "bytes"),
        (hang, "Timeout"),
        (drip, "too long"),
    ],
)
def test_what_is_no_page(talk: Talk, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if talk in (hang, drip):
        monkeypatch.setattr(engine_pages, "TIMEOUT_S", 0.3)
    with serving(talk) as (port, _), pytest.raises(Unreachable, match=why):
        fetch(Page("vllm", f"http://127.0.0.1:{port}/metrics"))


def test_nobody_there() -> None:
    with pytest.raises(Unreachable, match="ConnectError"):
        fetch(Page("vllm", "http://127.0.0.1:1/metrics"))
    with pytest.raises(Unreachable):
        fetch(Page("vllm", "https://127.0.0.1:1/metrics", ca_file="/nowhere.pem"))


def test_authorities_are_read_once_and_for_no_plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str | None] = []
    make = ssl.create_default_context

    def reading(*, cafile: str | None = None, **_: object) -> ssl.SSLContext:
        read.append(cafile)
        return make(cafile=cafile)

    monkeypatch.setattr(ssl, "create_default_context", reading)
    engine_pages._trusting.cache_clear()
    for url in ("http://127.0.0.1:1/metrics", "https://127.0.0.1:1/metrics") * 2:
        with pytest.raises(Unreachable, match="ConnectError"):
            fetch(Page("vllm", url))
    assert read == [None]
