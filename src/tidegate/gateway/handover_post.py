"""handover_post: one handover to its address, over a connection of its own."""

import asyncio
from collections.abc import Mapping
from typing import Final

from tidegate.core.address import bracketed
from tidegate.core.assemble import replica
from tidegate.core.ladder import Handover
from tidegate.core.plan import Tls
from tidegate.core.secret import Secret
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.egress import proxy_for, tls_context
from tidegate.gateway.http.pool import Pool, PoolFull, Way

CONNECT_S: Final = 5.0
WHOLE_S: Final = 20.0
MAX_ANSWER_BYTES: Final = 64 * 1024


class Refused(Exception):
    """Why it was not taken."""


async def post(
    to: Handover, id: str, body: bytes, token: Secret | None, environ: Mapping[str, str]
) -> None:
    """Sends it once. Refused, OSError or TimeoutError where it was not taken: whether it came
    nobody knows then."""
    there = replica("", to.url)
    try:
        proxy = proxy_for(there, environ)
    except ValueError as error:
        raise Refused(str(error)) from None
    context = None
    if there.scheme == "https":
        context = await asyncio.to_thread(tls_context, Tls(to.ca_file))
    pool = Pool(Way(there, context, there.host, proxy), 1)
    host = bracketed(there.host)
    usual = 443 if there.scheme == "https" else 80
    authority = host if there.port == usual else f"{host}:{there.port}"
    path = there.path or "/"
    if proxy is not None and context is None:
        path = f"{there.scheme}://{authority}{path}"
    head = f"POST {path} HTTP/1.1\r\nhost: {authority}\r\n"
    if proxy is not None and context is None and proxy.authorization is not None:
        head += f"proxy-authorization: {proxy.authorization.decode()}\r\n"
    if token is not None:
        head += f"authorization: Bearer {token.reveal()}\r\n"
    head += f"content-type: application/json\r\nidempotency-key: {id}\r\nx-request-id: {id}\r\n"
    head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(WHOLE_S):
            await _exchange(pool, head.encode("latin-1") + body)
    except (UpstreamError, PoolFull) as error:
        raise Refused(str(error)) from None
    finally:
        pool.close()


async def _exchange(pool: Pool, request: bytes) -> None:
    taken = await pool.take(CONNECT_S)
    upstream = taken.upstream
    try:
        upstream.send(request, MAX_ANSWER_BYTES)
        await upstream.answered()
        if not 200 <= upstream.status < 300:
            raise Refused(f"it answered {upstream.status}")
    finally:
        upstream.close()
