"""The way out: certificates are checked, proxies are obeyed, and nothing falls back to plain."""

import asyncio
import datetime
import gc
import ssl
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.gateway.http.rig import House, quiet, until

from tidegate.core.plan import Replica, Tls
from tidegate.gateway.http.egress import Proxy, ProxyError, tls_context
from tidegate.gateway.http.pool import Pool, Way

# The proxy of these tests drops its tunnels where they end.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

GET = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"
PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def dropped_here() -> Iterator[None]:
    """What a test drops is collected in it, not in another's."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def replica(scheme: str, address: tuple[str, int], host: str = "localhost") -> Replica:
    return Replica("r", "https" if scheme == "https" else "http", host, address[1], "")


def pool(address: tuple[str, int], ca_file: str | None, proxy: Proxy | None = None) -> Pool:
    context = tls_context(Tls(ca_file))
    return Pool(Way(replica("https", address), context, "localhost", proxy), 2)


async def call(pool: Pool) -> bytes:
    upstream = pool.take_idle() or (await pool.take(PATIENCE_S)).upstream
    upstream.send(GET, 1000)
    await upstream.answered()
    body = upstream.body()
    upstream.release()
    return body


def with_tls(
    certificate: trustme.LeafCert, test: Callable[[House], Coroutine[Any, Any, None]]
) -> None:
    async def main() -> None:
        # A peer that breaks off a handshake is told to the loop, and expected here.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        async with House(tls=server_context(certificate)) as house:
            await test(house)
        await quiet()

    asyncio.run(main())


def test_a_private_authority_is_trusted_when_the_plan_names_it(
    authority: trustme.CA, ca_file: str
) -> None:
    async def test(house: House) -> None:
        ours = pool(house.address, ca_file)
        for _ in range(2):
            assert await call(ours) == b"/secret "
        assert ours.open == 1
        ours.close()
        await until(lambda: ours.open == 0)

    with_tls(authority.issue_cert("localhost"), test)


_PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize("fault", ["expired", "wrong name", "unknown authority"])
def test_a_certificate_that_does_not_check_out_ends_the_attempt(
    fault: str, authority: trustme.CA, ca_file: str
) -> None:
    """Nothing of the request reaches such a peer, in plain or at all."""
    if fault == "expired":
        certificate = authority.issue_cert("localhost", not_after=_PAST, not_before=_PAST)
    elif fault == "wrong name":
        certificate = authority.issue_cert("elsewhere.example")
    else:
        certificate = trustme.CA().issue_cert("localhost")

    async def test(house: House) -> None:
        ours = pool(house.address, ca_file)
        with pytest.raises(ssl.SSLCertVerificationError):
            await call(ours)
        assert (ours.open, ours.in_flight) == (0, 0)
        assert house.requests == []

    with_tls(certificate, test)


def test_the_private_authority_is_not_needed_for_others_to_be_refused(
    authority: trustme.CA,
) -> None:
    async def test(house: House) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            await call(pool(house.address, None))
        assert house.requests == []

    with_tls(authority.issue_cert("localhost"), test)


def test_a_plain_server_gets_no_plain_request(ca_file: str) -> None:
    async def main() -> None:
        async with House() as house:
            with pytest.raises((ssl.SSLError, OSError)):
                await call(pool(house.address, ca_file))
            assert house.requests == []
        await quiet()

    asyncio.run(main())


def test_a_handshake_that_stalls_meets_the_connect_deadline(ca_file: str) -> None:
    async def main() -> None:
        greeted = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert (await reader.readexactly(1)) == b"\x16"  # the greeting of TLS
            greeted.set()
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            ours = pool(server.sockets[0].getsockname(), ca_file)
            taking = asyncio.ensure_future(ours.take(0.2))
            await greeted.wait()
            with pytest.raises(TimeoutError):
                await taking
            await until(lambda: ours.open == 0)
            await quiet()

    asyncio.run(main())


class Gatekeeper:
    """An egress proxy: notes what it is asked, then answers as told and pipes what follows."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked = b""
        self.address = ("", 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(self.answer)
        if self.answer.startswith(b"HTTP/1.1 200"):
            port = int(self.asked.split(b" ")[1].rpartition(b":")[2])
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(self.pipe(reader, back), self.pipe(there, writer))
        writer.close()

    async def pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass  # one side is gone; so is the tunnel
        finally:
            writer.close()


def through_proxy(
    certificate: trustme.LeafCert,
    answer: bytes,
    test: Callable[[House, Gatekeeper, Proxy], Coroutine[Any, Any, None]],
) -> None:
    async def with_proxy(house: House) -> None:
        keeper = Gatekeeper(answer)
        server = await asyncio.start_server(keeper.serve, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            await test(house, keeper, Proxy(host, port, b"Basic dTpw"))

    with_tls(certificate, with_proxy)


def test_a_proxy_is_asked_for_a_tunnel_and_sees_nothing_else(
    authority: trustme.CA, ca_file: str
) -> None:
    async def test(house: House, keeper: Gatekeeper, proxy: Proxy) -> None:
        ours = pool(house.address, ca_file, proxy)
        assert await call(ours) == b"/secret "
        authority_of = b"localhost:%d" % house.address[1]
        assert keeper.asked == (
            b"CONNECT %b HTTP/1.1\r\nHost: %b\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
            % (authority_of, authority_of)
        )
        ours.close()
        await until(lambda: ours.open == 0)

    through_proxy(authority.issue_cert("localhost"), b"HTTP/1.1 200 OK\r\n\r\n", test)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 407 No\r\n\r\n", "answered 407"),
        (b"HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 200 OK\r\n\r\nsurplus", "answered 200"),
        (b"nonsense\r\n\r\n", "answered no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20_000, "too long"),
        (b"HTTP/1.1 407", "closed the connection"),
    ],
)
def test_a_proxy_that_will_not_is_an_error(
    answer: bytes, message: str, authority: trustme.CA, ca_file: str
) -> None:
    async def test(house: House, keeper: Gatekeeper, proxy: Proxy) -> None:
        ours = pool(house.address, ca_file, proxy)
        with pytest.raises(ProxyError, match=message):
            await call(ours)
        assert ours.open == 0
        assert house.requests == []

    through_proxy(authority.issue_cert("localhost"), answer, test)


def test_a_bad_certificate_inside_a_tunnel_counts_once(ca_file: str) -> None:
    async def test(house: House, keeper: Gatekeeper, proxy: Proxy) -> None:
        ours = pool(house.address, ca_file, proxy)
        for _ in range(3):
            with pytest.raises(ssl.SSLCertVerificationError):
                await call(ours)
        await until(lambda: ours.open == 0)
        assert ours.in_flight == 0

    through_proxy(trustme.CA().issue_cert("localhost"), b"HTTP/1.1 200 OK\r\n\r\n", test)


def test_a_plain_origin_is_reached_by_connecting_to_the_proxy() -> None:
    async def main() -> None:
        async with House() as house:
            proxy = Proxy(*house.address, None)
            way = Way(Replica("r", "http", "engine.invalid", 80, ""), None, "engine.invalid", proxy)
            ours = Pool(way, 1)
            assert await call(ours) == b"/secret "
            ours.close()
        await quiet()

    asyncio.run(main())


def test_the_oldest_tls_spoken_is_1_2(tmp_path: Path) -> None:
    context = tls_context(Tls())
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    with pytest.raises(FileNotFoundError):
        tls_context(Tls(str(tmp_path / "none.pem")))
