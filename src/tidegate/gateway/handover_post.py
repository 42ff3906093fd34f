"""handover_post: one handover to its address."""

from collections.abc import Mapping
from typing import Final

from tidegate.core.ladder import Handover
from tidegate.core.plan import Tls
from tidegate.core.secret import Secret
from tidegate.core.sign_in import Fetch
from tidegate.gateway.http.fetch import Bounds, FetchFailed, fetch

_BOUNDS: Final = Bounds(connect_s=5.0, total_s=20.0, answer_bytes=64 * 1024)


class Refused(Exception):
    """Why it was not taken."""


async def post(
    to: Handover, id: str, body: bytes, token: Secret | None, environ: Mapping[str, str]
) -> None:
    """Sends it once. Refused where it was not taken: whether it came nobody knows then."""
    headers = [("content-type", "application/json"), ("idempotency-key", id), ("x-request-id", id)]
    if token is not None:
        headers.append(("authorization", f"Bearer {token.reveal()}"))
    asked = Fetch("POST", to.url, tuple(headers), body)
    try:
        answer = await fetch(asked, Tls(to.ca_file), environ, _BOUNDS)
    except FetchFailed as error:
        raise Refused(str(error)) from None
    if not 200 <= answer.status < 300:
        raise Refused(f"it answered {answer.status}")
