"""batch_results: the lines of a batch's results become receipts, one each.

A line's receipt has an id that follows from its batch and its `custom_id`, so that results which
are read again, by whichever gateway, tell the ledger nothing new. It began with its batch, whose
budgets were asked then. What failed costs nothing.
"""

import hashlib
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import fields

from tidegate.core.ask import Ask, Usage
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import CODES, Failure
from tidegate.core.price import Price
from tidegate.core.purpose import BATCH_LINE
from tidegate.core.receipt import Receipt
from tidegate.core.receipt_cost import cost_nanousd, prefix_saved_nanousd
from tidegate.gateway.batch_ids import Sealed
from tidegate.gateway.batch_place import Account
from tidegate.gateway.batch_price import price_of
from tidegate.gateway.context import identifier
from tidegate.gateway.decline import MAX_ERROR_CHARS
from tidegate.text.redact import redact
from tidegate.text.strict_json import UNREADABLE

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
TOO_LONG: Final = b"..."
_MEANINGS: Final = {
    "batch_expired": "upstream_timeout",
    "batch_cancelled": "client_closed",
    "invalid_request_error": "rejected_by_provider",
    "rate_limit_error": "upstream_rate_limited",
    "overloaded_error": "upstream_overloaded",
}
_UNSERVED: Final = {"canceled": "batch_cancelled", "expired": "batch_expired"}
_CLASSES: Final = tuple(it.name for it in fields(Usage) if it.name != "conflict")


class _Response(Struct):
    status_code: int
    request_id: str | None = None
    body: Raw = Raw(b"null")


class _Error(Struct):
    code: Any = None
    message: Any = None


class _Type(Struct):
    type: str
    message: str = ""


class _Line(Struct):
    custom_id: str
    response: _Response | None = None
    error: _Error | None = None


_decode: Final = msgspec.json.Decoder(_Line).decode


class _Result(Struct):
    type: str
    message: Raw = Raw(b"null")
    error: Raw = Raw(b"null")


class _MessageLine(Struct):
    custom_id: str
    result: _Result


class _MessageError(Struct):
    error: _Type


_decode_message: Final = msgspec.json.Decoder(_MessageLine).decode
_decode_error: Final = msgspec.json.Decoder(_MessageError).decode


def _read_message(line: bytes) -> _Line:
    """A line of Anthropic's results, as one of OpenAI's would say it."""
    said = _decode_message(line)
    result = said.result
    if result.type == "succeeded":
        return _Line(said.custom_id, _Response(200, None, result.message))
    if result.type != "errored":  # `canceled`, `expired`
        return _Line(said.custom_id, None, _Error(_UNSERVED.get(result.type), result.type))
    error = _decode_error(result.error).error
    return _Line(said.custom_id, None, _Error(error.type, error.message))


class Splitter:
    """Cuts what comes into lines. Of one that is longer than `most` bytes TOO_LONG is left, which
    is no line of results."""

    def __init__(self, most: int = MAX_LINE_BYTES) -> None:
        self._most = most
        self._open: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that have become whole, without their ends."""
        first, *rest = data.split(b"\n")
        self._keep(first)
        lines = []
        for part in rest:
            lines.append(self._take())
            self._keep(part)
        return [line for line in lines if line.strip()]

    def end(self) -> list[bytes]:
        """The file has ended: what a last line without an end is."""
        line = self._take()
        return [line] if line.strip() else []

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._most:
            self._open.clear()
        elif part:
            self._open.append(part)

    def _take(self) -> bytes:
        line = b"".join(self._open)
        if self._size > self._most:
            line = TOO_LONG
        self._open.clear()
        self._size = 0
        return line


class Owner(Struct, frozen=True):
    """Whose results are: what their id says, and the key that made the batch, or what stands for
    it where it is no more or has moved."""

    sealed: Sealed
    key: KeyRecord


class Pricing:
    """Makes a receipt of each line of one file."""

    def __init__(self, at: Account, owner: Owner, gateway: str, plan_version: int) -> None:
        self._at = at
        self._owner = owner
        self._gateway = gateway
        self._plan_version = plan_version
        self._ask = Ask(owner.sealed.endpoint, b"", {}, owner.sealed.route)
        self._ask.dialect = owner.sealed.dialect
        self._read = _read_message if owner.sealed.kind == "messages" else _decode
        self._price = _price(at, owner.sealed)
        self._line = 0

    def receipt(self, line: bytes) -> Receipt:
        """Of one line after another. What is no line of results, empty where it was too long, may
        have been served and is named by its place in the file."""
        self._line += 1
        try:
            said = self._read(line)
        except UNREADABLE:
            receipt = self.blank(f"line {self._line} of {self._owner.sealed.own}")
            self._note_unknown(receipt, "the line of results cannot be read")
            return receipt
        receipt = self.blank(said.custom_id)
        response = said.response
        if said.error is not None or response is None:
            _note_error(receipt, said.error or _Error())
            return receipt
        receipt.status = response.status_code
        receipt.provider_request_id = identifier(response.request_id)
        if response.status_code != 200:
            body = self._at.conceal(bytes(response.body))
            _note_failure(receipt, self._at.target.provider.fault(response.status_code, {}, body))
            return receipt
        try:
            self._note_answer(receipt, bytes(response.body))
        except Failure as failure:
            self._note_unknown(receipt, failure.message)
        return receipt

    def _note_unknown(self, receipt: Receipt, message: str) -> None:
        """It was served, and nobody can say for how much."""
        _note_failure(receipt, Failure("malformed", "upstream_malformed", message))
        receipt.cost_nanousd, receipt.most_nanousd = None, self._owner.sealed.line_nanousd

    def reads(self, line: bytes) -> bool:
        """Whether it is a line of results."""
        try:
            self._read(line)
        except UNREADABLE:
            return False
        return True

    def blank(self, custom_id: str) -> Receipt:
        """What is the same for each line, and the line's own name."""
        owner, target = self._owner, self._at.target.target
        sealed, key = owner.sealed, owner.key
        receipt = Receipt(
            line_id(sealed.at_ms, target.provider, sealed.batch, custom_id),
            sealed.at_ms / 1000,
            self._gateway,
            sealed.endpoint,
            plan_version=self._plan_version,
            key_id=sealed.key_id,
            team=sealed.team,
            customer=sealed.customer,
            purpose=BATCH_LINE,
            priority="batch",
        )
        receipt.environment = key.environment
        receipt.attributes = {**key.attributes, "batch": sealed.batch, "custom_id": custom_id[:256]}
        receipt.route = receipt.model_asked = sealed.route
        receipt.target, receipt.provider = target.name, target.provider
        receipt.replica = self._at.replica.name
        receipt.model_wanted = target.model
        receipt.service_tier, receipt.dialect = "batch", sealed.dialect
        receipt.cost_nanousd = 0
        return receipt

    def _note_answer(self, receipt: Receipt, body: bytes) -> None:
        """What a whole answer says of itself, and what it costs in a batch. Failure."""
        target = self._at.target
        answer = target.provider.passthrough[self._ask.dialect].read_answer(self._ask, body)
        receipt.finish_reason = identifier(answer.finish_reason)
        receipt.model_served = identifier(answer.model_served)
        receipt.model_fingerprint = identifier(answer.model_fingerprint)
        receipt.cost_nanousd = None
        usage = answer.usage
        if usage is not None and usage.conflict:
            receipt.usage_conflict = True
        elif usage is not None:
            for name in _CLASSES:
                setattr(receipt, name, getattr(usage, name))
        price = self._price
        if price is not None:
            receipt.price_version = price.version
            receipt.cost_nanousd = cost_nanousd(receipt, price)
            if receipt.touches_prefix:
                receipt.prefix_saved_nanousd = prefix_saved_nanousd(receipt, price)
        if receipt.cost_nanousd is None:
            receipt.most_nanousd = self._owner.sealed.line_nanousd


def _price(at: Account, sealed: Sealed) -> Price | None:
    """The price that the batch began with; of one that tells none, that of the plan."""
    if sealed.price is not None:
        return price_of(sealed.price)
    batches = at.target.target.batches
    return None if batches is None else batches.price


def line_id(at_ms: int, provider: str, batch: str, custom_id: str) -> str:
    """A UUIDv7 (RFC 9562) of when its batch began, whose other digits follow from its names and not
    from chance: the same line has the same id everywhere."""
    text = msgspec.msgpack.encode(["batch line", provider, batch, custom_id])
    digits, stamp = hashlib.sha256(text).hexdigest(), f"{at_ms & 0xFFFFFFFFFFFF:012x}"
    variant = "89ab"[int(digits[3], 16) & 3]
    last = f"{variant}{digits[4:7]}-{digits[7:19]}"
    return f"{stamp[:8]}-{stamp[8:]}-7{digits[:3]}-{last}"


def _note_error(receipt: Receipt, error: _Error) -> None:
    """A line that was not served: too late, called back, or refused."""
    name = error.code if isinstance(error.code, str) else ""
    code = CODES[_MEANINGS.get(name, "upstream_error")]
    receipt.error_code, receipt.error_fault = code.name, code.fault
    if code.name == "client_closed":
        receipt.cancelled_by = "client"
    said = error.message if isinstance(error.message, str) else name
    receipt.error_message = redact(said)[:MAX_ERROR_CHARS] or None


def _note_failure(receipt: Receipt, failure: Failure) -> None:
    receipt.error_code, receipt.error_fault = failure.code.name, failure.code.fault
    receipt.error_message = redact(failure.message)[:MAX_ERROR_CHARS]
