"""One request to a small server, such as one that gives tokens or keys or takes handovers, on a
connection of its own.

No redirect is followed. A private CA and the environment's proxy count as they do for providers.
"""

import asyncio
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from tidegate import __version__
from tidegate.core.address import parse_url
from tidegate.core.plan import Replica, Tls
from tidegate.core.sign_in import Fetch, Fetched
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.egress import Proxy, ProxyError, proxy_for, tls_context
from tidegate.gateway.http.pool import Pool, PoolFull, Way

MAX_ANSWER_BYTES: Final = 256 * 1024
_ACCEPT: Final = ("accept", "application/json, */*")


class Bounds(Struct, frozen=True):
    """How long one may take, connecting and in all, and how long its answer may be."""

    connect_s: float = 3.0
    total_s: float = 10.0
    answer_bytes: int = MAX_ANSWER_BYTES


USUAL: Final = Bounds()


class FetchFailed(Exception):
    """There is no answer; the message says why, and holds nothing of what was asked."""


async def fetch(
    asked: Fetch, tls: Tls, environ: Mapping[str, str], bounds: Bounds = USUAL
) -> Fetched:
    """The answer, whatever its status. FetchFailed."""
    try:
        return await _fetch(asked, tls, environ, bounds)
    except TimeoutError:
        raise FetchFailed(f"it did not answer within {bounds.total_s:g} s") from None
    except UpstreamError as error:
        raise FetchFailed(f"it did not answer properly: {error}") from None
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", None) or error.reason or "handshake failed"
        raise FetchFailed(f"TLS with it failed: {why}") from None
    except UnicodeError:  # its words quote what it is about
        raise FetchFailed("it cannot be asked: not all of it can be written as UTF-8") from None
    except ValueError as error:
        raise FetchFailed(f"it cannot be asked: {error}") from None
    except ProxyError as error:
        raise FetchFailed(f"it cannot be reached: {error}") from None
    except (OSError, PoolFull) as error:
        raise FetchFailed(f"it cannot be reached ({type(error).__name__})") from None


async def _fetch(asked: Fetch, tls: Tls, environ: Mapping[str, str], bounds: Bounds) -> Fetched:
    plain = asked.url.partition("?")[0]
    url = parse_url(plain)
    replica = Replica("", url.scheme, url.host, url.port, url.path)
    context = None
    if url.scheme == "https":
        context = await asyncio.to_thread(tls_context, tls)
    proxy = None if asked.direct else proxy_for(replica, environ)
    request = _request(asked, url.authority, proxy if context is None else None)
    pool = Pool(Way(replica, context, tls.server_name or url.host, proxy), 1)
    try:
        async with asyncio.timeout(bounds.total_s):
            upstream = (await pool.take(bounds.connect_s)).upstream
            try:
                upstream.send(request, bounds.answer_bytes)
                await upstream.answered()
                if upstream.streaming:
                    raise UpstreamError("malformed", "a stream is no answer here")
                date = upstream.headers.get(b"date", b"").decode("latin-1")
                return Fetched(upstream.status, upstream.body(), _seconds(date))
            finally:
                upstream.close()
    finally:
        pool.close()


def _request(asked: Fetch, authority: str, proxy: Proxy | None) -> bytes:
    """All of it. `proxy` where it stands between us and a server that is asked in plain text.
    ValueError for a line break."""
    plain, _, query = asked.url.partition("?")
    at = urlsplit(plain).path or "/"
    if query:
        at = f"{at}?{query}"
    if proxy is not None:
        at = f"http://{authority}{at}"
    headers = [("host", urlsplit(plain).netloc), ("user-agent", f"tidegate/{__version__}")]
    if not any(name == "accept" for name, _ in asked.headers):
        headers.append(_ACCEPT)
    headers += [*asked.headers, ("content-length", str(len(asked.body)))]
    if proxy is not None and proxy.authorization is not None:
        headers.append(("proxy-authorization", proxy.authorization.decode()))
    lines = [f"{asked.method} {at} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in an address or a header")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + asked.body


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, OverflowError):
        return None
