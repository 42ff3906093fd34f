"""guard_check: an address of the plan's is asked about texts, within a deadline."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tidegate import __version__
from tidegate.core import clock, plugs
from tidegate.core.address import Url
from tidegate.core.guardrail import Guardrail, Remote, Side, Verdict
from tidegate.core.outcome import Failure
from tidegate.core.plan import Replica, Tls
from tidegate.core.receipt import Receipt
from tidegate.core.secret import Secret
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.pool import Pool, PoolFull
from tidegate.gateway.prepared_target import PreparedReplica

_MOST_ANSWER_BYTES: Final = 16 * 1024 * 1024
MOST_CONNECTIONS: Final = 64
_NO_LONGER: Final = "the caller waits no longer than a guardrail's address takes"


def origin_of(guardrail: Guardrail, url: Url) -> tuple[Replica, Tls]:
    """Where it is asked, and how the other side's certificate is judged."""
    replica = Replica(f"guardrail:{guardrail.name}", url.scheme, url.host, url.port, url.path)
    return replica, Tls(ca_file=guardrail.ca_file)


def request_headers(secret: Secret | None) -> tuple[tuple[str, str], ...]:
    kind = ("content-type", "application/json"), ("user-agent", f"tidegate/{__version__}")
    return kind if secret is None else (*kind, ("authorization", f"Bearer {secret.reveal()}"))


class Unanswered(Exception):
    """Nobody said anything of the texts. The message is a word for the receipt."""


class Check(Struct, eq=False, frozen=True):
    """One guardrail that asks an address. `head` is its request up to the content's length."""

    guardrail: Guardrail
    remote: Remote
    pool: Pool
    head: bytes
    missing: bool = False


def check_of(guardrail: Guardrail, at: PreparedReplica, secret: Secret | None) -> Check:
    """PlugError."""
    remote: Remote = plugs.load("guardrails", guardrail.kind)
    missing = guardrail.credential is not None and secret is None
    head = at.head_start + at.head_rest
    return Check(guardrail, remote, at.pool, head, missing)


async def ask(
    check: Check, side: Side, receipt: Receipt, texts: Sequence[str], until_s: float | None
) -> Verdict:
    """What it says of them. Unanswered; Failure where its caller waits no longer than `until_s`
    (monotonic)."""
    guardrail = check.guardrail
    if check.missing:
        raise Unanswered("credential_missing")
    deadline_s = guardrail.deadline_s
    if until_s is not None:
        deadline_s = min(deadline_s, max(until_s - clock.monotonic_s(), 0.0))
    body = check.remote.question(guardrail, side, receipt.route or "", texts, receipt.id)
    request = b"%bcontent-length: %d\r\n\r\n%b" % (check.head, len(body), body)
    try:
        async with asyncio.timeout(deadline_s):
            status, answer = await _exchange(check.pool, request, deadline_s)
    except TimeoutError:
        if deadline_s < guardrail.deadline_s:
            raise Failure("timeout", "upstream_timeout", _NO_LONGER) from None
        raise Unanswered("timeout") from None
    except PoolFull:
        raise Unanswered("timeout") from None
    except (OSError, ssl.SSLError, UpstreamError):
        raise Unanswered("unreachable") from None
    try:
        return check.remote.verdict(status, answer, len(texts))
    except ValueError:
        raise Unanswered("malformed") from None


async def _exchange(pool: Pool, request: bytes, patience_s: float) -> tuple[int, bytes]:
    """One exchange. A kept connection that was closed as it was used is replaced once."""
    upstream = pool.take_idle()
    reused = upstream is not None
    if upstream is None:
        upstream = (await pool.take(patience_s)).upstream
    try:
        return await _over(upstream, request)
    except UpstreamError as error:
        if not reused or not error.clean:
            raise
    return await _over((await pool.take(patience_s)).upstream, request)


async def _over(upstream: Upstream, request: bytes) -> tuple[int, bytes]:
    over = False
    try:
        upstream.send(request, _MOST_ANSWER_BYTES)
        await upstream.answered()
        if upstream.streaming:
            raise UpstreamError("malformed", "it answers with a stream")
        status, body = upstream.status, upstream.body()
        upstream.release()
        over = True
        return status, body
    finally:
        if not over:
            upstream.close()
