"""One request to a small server: what goes out, what comes back, and how it fails."""

from typing import Any

import pytest
from tests.gateway.rig import run
from tests.gateway.upstream import Exchange, Upstream, answer_bytes

from tidegate.core.plan import Tls
from tidegate.core.sign_in import Fetch, Fetched
from tidegate.gateway.http.fetch import Bounds, FetchFailed, fetch

DATE = b"date: Mon, 21 Sep 2026 14:13:20 GMT\r\n"


def told(body: bytes, more: bytes = b"") -> Any:
    async def script(exchange: Exchange) -> None:
        head = b"HTTP/1.1 201 Created\r\n%bcontent-length: %d\r\n\r\n" % (more, len(body))
        exchange.send(head + body)

    return script


def test_all_of_a_request_goes_out_and_the_answer_comes_back() -> None:
    async def main() -> None:
        async with Upstream(told(b"token", DATE)) as up:
            url = f"http://127.0.0.1:{up.port}/a/b/?c=d%20e"
            asked = Fetch("PUT", url, (("x-own", "1"),), b"body", direct=True)
            answer = await fetch(asked, Tls(), {"http_proxy": "http://127.0.0.1:1"})
            assert answer == Fetched(201, b"token", 1_790_000_000.0)
            [exchange] = up.exchanges
        assert exchange.head.startswith(b"PUT /a/b/?c=d%20e HTTP/1.1\r\n")
        assert exchange.header(b"host") == b"127.0.0.1:%d" % up.port
        assert (exchange.header(b"x-own"), exchange.body) == (b"1", b"body")

    run(main())


def test_a_proxy_of_the_environment_stands_between() -> None:
    async def main() -> None:
        async with Upstream(told(b"")) as proxy:
            environ = {"http_proxy": f"http://u:p@127.0.0.1:{proxy.port}"}
            answer = await fetch(Fetch("GET", "http://far.example/x?y"), Tls(), environ)
            assert answer == Fetched(201, b"")
            [exchange] = proxy.exchanges
        assert exchange.path == b"http://far.example:80/x?y"
        assert exchange.header(b"proxy-authorization") == b"Basic dTpw"

    run(main())


def test_a_proxy_that_lets_nobody_through_is_told_as_that() -> None:
    async def main() -> None:
        async with Upstream(told(b"")) as proxy:
            environ = {"https_proxy": f"http://u:hush@127.0.0.1:{proxy.port}"}
            with pytest.raises(FetchFailed, match="the egress proxy answered 201") as failed:
                await fetch(Fetch("GET", "https://far.example/x"), Tls(), environ)
            assert "hush" not in str(failed.value)

    run(main())


async def _stream(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: x\n\n")


async def _redirect(exchange: Exchange) -> None:
    exchange.send(answer_bytes(302, b"", [("location", "http://127.0.0.1:1/")]))


async def _huge(exchange: Exchange) -> None:
    exchange.send(answer_bytes(200, b"x" * (101)))


async def _gone(exchange: Exchange) -> None:
    exchange.transport.abort()


async def _hangs(exchange: Exchange) -> None:
    await exchange.closed.wait()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (_stream, "did not answer properly: a stream is no answer"),
        (_huge, "the answer exceeds 100 bytes"),
        (_gone, "did not answer properly: the provider "),
        (_hangs, "within 0.2 s"),
    ],
)
def test_what_is_no_answer(script: Any, why: str) -> None:
    async def main() -> None:
        async with Upstream(script) as up:
            with pytest.raises(FetchFailed, match=why):
                asked = Fetch("GET", f"http://127.0.0.1:{up.port}/")
                await fetch(asked, Tls(), {}, Bounds(total_s=0.2, answer_bytes=100))

    run(main())


@pytest.mark.parametrize(
    ("url", "proxy", "why"),
    [
        ("http://127.0.0.1:1/", "", r"cannot be reached \(ConnectionRefusedError\)"),
        ("ftp://x/", "", "cannot be asked: a URL here starts with http"),
        ("http://x y/", "", "cannot be asked: the URL holds a space"),
        ("", "", "cannot be asked: a URL"),
        ("http://far.example", "ftp://p", "cannot be asked: the egress proxy for http must be"),
    ],
)
def test_what_cannot_be_reached_or_asked(url: str, proxy: str, why: str) -> None:
    async def main() -> None:
        with pytest.raises(FetchFailed, match=why):
            await fetch(Fetch("GET", url), Tls(), {"http_proxy": proxy})

    run(main())


def test_a_line_break_goes_nowhere() -> None:
    async def main() -> None:
        async with Upstream(told(b"")) as up:
            url = f"http://127.0.0.1:{up.port}/"
            for asked in (
                Fetch("GET", f"{url}?a\r\nx: y"),
                Fetch("GET", url, (("x", "1\nx: y"),)),
                Fetch("GET", url, (("x: y\r\nz", "1"),)),
            ):
                with pytest.raises(FetchFailed):
                    await fetch(asked, Tls(), {})
            assert not up.exchanges

    run(main())


def test_what_cannot_be_written_is_not_told() -> None:
    async def main() -> None:
        with pytest.raises(FetchFailed) as failed:
            headers = (("authorization", "Bearer \udce9"),)  # a variable that is no UTF-8
            await fetch(Fetch("GET", "http://127.0.0.1:1/", headers), Tls(), {})
        assert "xe9" not in repr(failed.value) and "dce9" not in repr(failed.value)

    run(main())


@pytest.mark.parametrize(
    "date",
    [
        b"yesterday",
        b"Mon, 01 Jan 2020 00:00:00 +99999999999999999",
        b"01-Jan-2020  00:00:0099999999999999 1:a00:00:00",
    ],
)
def test_a_date_that_is_none_is_not_known(date: bytes) -> None:
    async def main() -> None:
        async with Upstream(told(b"token", b"date: %b\r\n" % date)) as up:
            answer = await fetch(Fetch("GET", f"http://127.0.0.1:{up.port}/"), Tls(), {})
            assert answer == Fetched(201, b"token")

    run(main())


def test_no_redirect_is_followed() -> None:
    async def main() -> None:
        async with Upstream(_redirect) as up:
            answer = await fetch(Fetch("GET", f"http://127.0.0.1:{up.port}/"), Tls(), {})
            assert answer.status == 302

    run(main())
