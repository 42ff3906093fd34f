"""webhook: posts JSON to one address, signed, and follows it nowhere else.

The signature is HMAC-SHA256 over `TIMESTAMP.BODY` in the header `x-tidegate-signature`, as
`v1=HEX`; the timestamp, seconds since 1970, is in `x-tidegate-timestamp`. `idempotency-key` is the
same whenever the same message comes again.
"""

import hashlib
import hmac

import msgspec
from msgspec.structs import asdict

from tidegate.actuators._post import Post, post
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.secret import Secret
from tidegate.core.ways import Place, Told

_MOST_LETTERS_TOGETHER = 1000  # of each text where there are several


class Webhook:
    reads = frozenset({"url", "secret", "private", "ca_file"})
    needs = frozenset({"url", "secret"})
    repeatable = True
    renew_s = None

    def complaint(self, declared: DeclaredWay) -> str | None:
        return None

    def send(self, message: Message, to: Place, now_s: float) -> Told | None:
        if to.secret is None or to.declared.url is None:
            raise NotDelivered("its secret, which it signs with, is not to be had")
        body = body_of(message)
        headers = {
            "idempotency-key": message.id,
            "x-tidegate-timestamp": str(int(now_s)),
            "x-tidegate-signature": signature(body, int(now_s), to.secret),
        }
        post(Post(to.declared.url, body, headers), to)
        return None


def body_of(message: Message) -> bytes:
    """The same bytes at each try."""
    notices = [asdict(one) for one in message.notices]
    if len(notices) > 1:
        notices = [{**one, "text": one["text"][:_MOST_LETTERS_TOGETHER]} for one in notices]
    told = {
        "type": "notice" if message.ends is None else "resolution",
        "id": message.id,
        "ends": message.ends,
        "source": message.source,
        "at_s": message.at_s,
        "notices": notices,
    }
    return msgspec.json.encode(told)


def signature(body: bytes, timestamp_s: int, secret: Secret) -> str:
    """What a receiver computes for itself and compares."""
    signed = str(timestamp_s).encode() + b"." + body
    return "v1=" + hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()


def deliver(url: str, body: bytes, delivery_id: str, secret: Secret | None) -> None:
    """POST JSON to the address of `control.alerts`, with its credential. NotDelivered.

    `delivery_id` is the same whenever the same thing is told again.
    """
    headers = {"idempotency-key": delivery_id}
    if secret is not None:
        headers["authorization"] = f"Bearer {secret.reveal()}"
    post(Post(url, body, headers), Place(DeclaredWay("webhook", private=True), secret))


plug = Webhook()
