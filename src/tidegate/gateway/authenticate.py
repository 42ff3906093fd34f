"""authenticate: whose key is it, and may it still be used."""

from tidegate.core import clock
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.http.reader import Head
from tidegate.gateway.http.strict import Headers
from tidegate.gateway.keys import Keys
from tidegate.text.jws import looks_signed

_NO_KEY = "no API key; send it as `Authorization: Bearer sk-tg-...`, `x-api-key` or `api-key`"
_STRANGE = "the token is not of an issuer that is known here, or not signed by it"


async def authenticate(head: Head, keys: Keys, receipt: Receipt) -> KeyRecord:
    """The caller's key, noted on the receipt. Refusal for none, a wrong or an ended one.

    A head that comes again on its connection has the same key, unless some key has changed since.
    """
    return authenticate_at_once(head, keys, receipt) or await _authenticate(head, keys, receipt)


def authenticate_at_once(head: Head, keys: Keys, receipt: Receipt) -> KeyRecord | None:
    """The same where nothing has to be read for it; None where something has."""
    record = head.caller
    if record is None or head.caller_epoch != keys.epoch:
        return None
    _note(record, receipt)
    return record


async def _authenticate(head: Head, keys: Keys, receipt: Receipt) -> KeyRecord:
    epoch = keys.epoch
    presented = credential(head.headers)
    record = keys.known(presented) or await keys.read(presented)
    if record is None:
        signed = keys.tokens is not None and looks_signed(presented)
        raise Refusal("invalid_api_key", _STRANGE if signed else "the API key is not known here")
    head.caller, head.caller_epoch = record, epoch
    _note(record, receipt)
    return record


def _note(record: KeyRecord, receipt: Receipt) -> None:
    """Whose request it is. Refusal for a key that has ended."""
    if record.revoked_at_s is not None:
        raise Refusal("revoked_api_key", "the API key has been revoked")
    if record.expires_at_s is not None:
        now_s = clock.wall_s()
        if record.expires_at_s <= now_s:
            raise Refusal("expired_api_key", "the API key has expired")
        if record.not_before_s > now_s:  # the clock was set back
            raise Refusal("invalid_api_key", "the token is not good yet")
    receipt.key_id = record.id
    receipt.team = record.team
    receipt.customer = record.customer
    receipt.environment = record.environment
    receipt.purpose = record.purpose
    receipt.priority = record.priority
    receipt.attributes = record.attributes or None


def credential(headers: Headers) -> bytes:
    """The one extractor: Bearer, `x-api-key` or `api-key`; two different ones are refused."""
    found: bytes | None = None
    authorization = headers.get(b"authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise Refusal("invalid_api_key", "Authorization must be `Bearer` and a key")
        found = token.strip()
    for name in (b"x-api-key", b"api-key"):
        value = headers.get(name)
        if value is not None:
            if found is not None and value != found:
                raise Refusal("invalid_api_key", "two different API keys were sent")
            found = value
    if not found:
        raise Refusal("missing_api_key", _NO_KEY)
    return found
