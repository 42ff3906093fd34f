"""One request to a small server, such as one that gives tokens, on a connection of its own.

No redirect is followed. A private CA and the environment's proxy count as they do for providers.
"""

import asyncio
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from tidegate import __version__
from tidegate.core.address import parse_url
from tidegate.core.plan import Replica, Tls
from tidegate.core.sign_in import Fetch, Fetched
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.egress import proxy_for, tls_context
from tidegate.gateway.http.pool import Pool, PoolFull, Way

MAX_ANSWER_BYTES: Final = 256 * 1024
CONNECT_S: Final = 3.0
TOTAL_S: Final = 10.0


class FetchFailed(Exception):
    """There is no answer; the message says why."""


async def fetch(asked: Fetch, tls: Tls, environ: Mapping[str, str]) -> Fetched:
    """The answer, whatever its status. FetchFailed."""
    try:
        return await _fetch(asked, tls, environ)
    except TimeoutError:
        raise FetchFailed(f"it did not answer within {TOTAL_S:g} s") from None
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", None) or error.reason or "handshake failed"
        raise FetchFailed(f"TLS with it failed: {why}") from None
    except (OSError, ValueError, PoolFull, UpstreamError) as error:
        raise FetchFailed(f"it cannot be reached ({type(error).__name__})") from None


async def _fetch(asked: Fetch, tls: Tls, environ: Mapping[str, str]) -> Fetched:
    plain, _, query = asked.url.partition("?")
    url = parse_url(plain)
    replica = Replica("", url.scheme, url.host, url.port, url.path)
    context = None
    if url.scheme == "https":
        context = await asyncio.to_thread(tls_context, tls)
    proxy = None if asked.direct else proxy_for(replica, environ)
    at = urlsplit(plain).path or "/"
    if query:
        at = f"{at}?{query}"
    if proxy is not None and context is None:
        at = f"http://{url.authority}{at}"
    lines = [
        f"{asked.method} {at} HTTP/1.1",
        f"host: {urlsplit(plain).netloc}",
        f"user-agent: tidegate/{__version__}",
        "accept: application/json, */*",
        *(f"{name}: {value}" for name, value in asked.headers),
        f"content-length: {len(asked.body)}",
    ]
    if proxy is not None and context is None and proxy.authorization is not None:
        lines.append(f"proxy-authorization: {proxy.authorization.decode()}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in an address or a header")
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + asked.body
    pool = Pool(Way(replica, context, tls.server_name or url.host, proxy), 1)
    try:
        async with asyncio.timeout(TOTAL_S):
            upstream = (await pool.take(CONNECT_S)).upstream
            try:
                upstream.send(request, MAX_ANSWER_BYTES)
                await upstream.answered()
                if upstream.streaming:
                    raise ValueError("a stream is no answer here")
                date = upstream.headers.get(b"date", b"").decode("latin-1")
                return Fetched(upstream.status, upstream.body(), _seconds(date))
            finally:
                upstream.close()
    finally:
        pool.close()


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
