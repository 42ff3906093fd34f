"""key_fetch: an issuer's key set, from its address, by the gateway's own client."""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tidegate import __version__
from tidegate.core.address import parse_url
from tidegate.core.plan import Replica, Tls
from tidegate.core.plan_callers import IssuerKeys
from tidegate.core.secret import SecretRef
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.egress import proxy_for, tls_context
from tidegate.gateway.http.pool import Pool, PoolFull, Way

MAX_ANSWER_BYTES: Final = 256 * 1024
CONNECT_S: Final = 3.0
TOTAL_S: Final = 6.0
_MAX_SECRET_BYTES: Final = 64 * 1024


class FetchFailed(Exception):
    """The address gave no key set; the message says why, and holds no secret."""


async def fetch(keys: IssuerKeys, environ: Mapping[str, str]) -> bytes:
    """The body of the address's answer. FetchFailed. No redirect is followed."""
    try:
        return await _fetch(keys, environ)
    except (OSError, ValueError, TimeoutError, PoolFull, UpstreamError) as error:
        raise FetchFailed(str(error) or type(error).__name__) from error


async def _fetch(keys: IssuerKeys, environ: Mapping[str, str]) -> bytes:
    url = parse_url(keys.url or "")
    replica = Replica("keys", url.scheme, url.host, url.port, url.path)
    context: ssl.SSLContext | None = None
    if url.scheme == "https":
        context = await asyncio.to_thread(tls_context, Tls(keys.ca_file))
    token = b""
    if keys.credential is not None:
        token = b"authorization: Bearer %b\r\n" % await asyncio.to_thread(
            _secret, keys.credential, environ
        )
    # Only this machine is asked in plain text, and no proxy stands between us and it.
    proxy = None if context is None else proxy_for(replica, environ)
    pool = Pool(Way(replica, context, url.host, proxy), 1)
    try:
        async with asyncio.timeout(TOTAL_S):
            upstream = (await pool.take(CONNECT_S)).upstream
            try:
                upstream.send(_request(url.path, url.authority, token), MAX_ANSWER_BYTES)
                await upstream.answered()
                if upstream.status != 200 or upstream.streaming:
                    raise FetchFailed(f"it answered {upstream.status}")
                return upstream.body()
            finally:
                upstream.close()
    finally:
        pool.close()


def _request(path: str, authority: str, token: bytes) -> bytes:
    lines = (
        f"GET {path or '/'} HTTP/1.1",
        f"host: {authority}",
        f"user-agent: tidegate/{__version__}",
        "accept: application/jwk-set+json, application/json",
        "connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n" + token + b"\r\n"


def _secret(ref: SecretRef, environ: Mapping[str, str]) -> bytes:
    """ValueError where it is not to be had."""
    if ref.env is not None:
        text = environ.get(ref.env, "").strip()
    else:
        with Path(ref.file or "").open("rb") as file:
            text = file.read(_MAX_SECRET_BYTES).decode().strip()
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError(f"the credential {ref} is not set here")
    return text.encode()
