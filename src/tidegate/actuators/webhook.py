"""webhook: tells one address, which the plan names, and follows it nowhere else."""

import httpx2

from tidegate.core.secret import Secret

_TIMEOUT_S = 5.0


class NotDelivered(Exception):
    """The address did not take it. The message holds neither the body nor the secret."""


def deliver(
    url: str,
    body: bytes,
    delivery_id: str,
    secret: Secret | None,
    transport: httpx2.BaseTransport | None = None,
) -> None:
    """POST JSON; any answer below 300 is a receipt. NotDelivered otherwise.

    `delivery_id` is the same whenever the same thing is told again.
    """
    headers = {"content-type": "application/json", "idempotency-key": delivery_id}
    if secret is not None:
        headers["authorization"] = f"Bearer {secret.reveal()}"
    try:
        with httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False, transport=transport) as http:
            answer = http.post(url, content=body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise NotDelivered(type(error).__name__) from error
    if answer.status_code >= 300:
        raise NotDelivered(f"status {answer.status_code}")
