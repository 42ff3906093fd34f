"""batch_ids: whose a file or a batch is that a provider keeps, and where it is kept.

All callers share a provider's credential, so that its own ids would open everybody's files. An id
that a caller sees says which file or batch it is, at which target's replica and credential, and of
which route, key, team and customer, enciphered under a seal of ours. For whom it was not made it
opens nothing, nothing is kept here for it, and every gateway of a database reads what another has
sealed.

The same always gets the same id, as lists and clients compare ids, so the cipher is one that needs
no chance: SIV (Rogaway and Shrimpton, "Deterministic Authenticated-Encryption", 2006). The seal is
HMAC-SHA-256 of what is said, cut to 128 bits, and begins the key stream, SHAKE256 of a key and the
seal. That key comes from the pepper by HKDF-Expand (RFC 5869) under a label of its own.
"""

import hashlib
import hmac
import re
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.caller import PREFIX
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.outcome import Refusal
from tidegate.core.plan import PeriodUnit
from tidegate.core.receipt import OPENAI_CHAT, Endpoint
from tidegate.gateway.batch_price import Pinned
from tidegate.gateway.prepared_target import PreparedReplica, PreparedTarget
from tidegate.gateway.stored import Digests

Places = dict[bytes, tuple[PreparedTarget, PreparedReplica]]
# `messages` is a batch of Anthropic's Messages, with its results.
Kind = Literal["input", "results", "batch", "owner", "messages"]
_STARTS: Final = {
    "input": "file-tg",
    "results": "file-tg",
    "batch": "batch_tg",
    "owner": "",
    "messages": "msgbatch_tg",
}
# Where in a batch's metadata it stands whose it is.
OWNER: Final = "tidegate"
MAX_VALUE_CHARS: Final = 512  # of what stands there
# The attribute of receipts of what is held for it that says which batch it is, under a seal.
SEALED: Final = "sealed"
_SEAL_BYTES: Final = 16
_SEAL: Final = "file or batch, enciphered"
_CLEAR_SEAL: Final = "file or batch"  # of ids that were made before they were enciphered
_CIPHER: Final = b"tidegate: cipher of files and batches\x01"
_PLACE_BYTES: Final = 9
# What a provider calls its own.
OWN_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
_SHOWN = re.compile(r"(?:file-tg|msgbatch_tg|batch_tg|)([A-Za-z0-9_-]{24,6000})")
# Of what is begun, so that the ids of its results, with two of the provider's in them, fit as well.
MAX_SEAL_CHARS: Final = 5_500


class Brought(Struct, frozen=True, array_like=True, omit_defaults=True):
    """What a caller without a key brings with it, which stands in no store: whoever settles its
    batch counts by that."""

    environment: str | None = None
    attributes: dict[str, str] = {}
    budget_nanousd: int | None = None
    budget_unit: PeriodUnit | None = None
    budget_s: float | None = None
    budget_hard: bool = True
    budget_degrade: bool = False


def brought(key: KeyRecord) -> Brought | None:
    """None for a key, which is read where it is kept."""
    if not key.id.startswith(PREFIX):
        return None
    limits = key.limits or KeyLimits()
    return Brought(
        key.environment,
        key.attributes,
        limits.budget_nanousd,
        limits.budget_unit,
        limits.budget_s,
        limits.budget_hard,
        limits.budget_degrade,
    )


class Sealed(Struct, frozen=True, array_like=True, omit_defaults=True):
    """What an id says. `own` is the provider's id, `place` tells whose replica and credential it
    is, `key_id` of `team` and `customer` who made the batch, or the file. Of results `batch` is the
    provider's id of their batch; the lines of an input cost `most_nanousd` at most (None: nobody
    knows), if none of their answers is longer than is assumed, where they are `unbound`; none of
    them costs more than `line_nanousd`, and all of them what `price` says. A batch began at `at_ms`
    of our wall clock, one of messages with so many `lines` (0: nobody knows). `hold` is the id of
    the receipt that says what is held for it, and `brought` is of a caller without a key. `dialect`
    is that of its lines; where `added`, an input has what its route adds, which is not its
    caller's."""

    kind: Kind
    own: str
    place: bytes
    route: str
    endpoint: Endpoint
    key_id: str
    team: str
    customer: str | None
    at_ms: int = 0
    batch: str = ""
    lines: int = 0
    most_nanousd: int | None = None
    unbound: bool = False
    hold: bytes = b""
    line_nanousd: int | None = None
    price: Pinned | None = None
    brought: Brought | None = None
    dialect: str = OPENAI_CHAT
    added: bool = False


_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Sealed).decode


def shown(what: Sealed, digests: Digests) -> str:
    """The id by which those of its team and customer know it."""
    text = _pack(what)
    seal = _seals(_SEAL, text, digests)[0]
    data = seal + _ciphered(text, digests(_CIPHER)[0], seal)
    return _STARTS[what.kind] + urlsafe_b64encode(data).rstrip(b"=").decode()


def seal_of(owner: Sealed, digests: Digests) -> str | None:
    """What stands in its batch's metadata; None where that is longer than providers take."""
    found = shown(owner, digests)
    if len(found) > MAX_VALUE_CHARS:
        found = shown(replace(owner, price=None, brought=None), digests)
    return found if len(found) <= MAX_VALUE_CHARS else None


def opened(id: str, key: KeyRecord, digests: Digests) -> Sealed | None:
    """What an id says to this key; None where it is none of its team and customer."""
    found = unsealed(id, digests)
    if found is None or (found.team, found.customer) != (key.team, key.customer):
        return None
    return found


def unsealed(id: str, digests: Digests) -> Sealed | None:
    """What an id says, whose it may be; None where it is none of ours."""
    match = _SHOWN.fullmatch(id)
    if match is None:
        return None
    text = match[1]
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    said = _said(data[:_SEAL_BYTES], data[_SEAL_BYTES:], digests)
    if said is None:
        return None
    try:
        found = _unpack(said)
    except msgspec.DecodeError:
        return None  # an older gateway's, or a newer one's
    return found if _STARTS[found.kind] == id[: len(id) - len(text)] else None


def owned(id: str, kinds: tuple[Kind, ...], key: KeyRecord, digests: Digests) -> Sealed:
    """What this id says, of one of these kinds and of a route that the key may use. Refusal."""
    found = opened(id, key, digests)
    if found is None or found.kind not in kinds or not key.may_use(found.route):
        what = "file" if "input" in kinds else "batch"
        raise Refusal("not_found", f"there is no such {what} of yours")
    return found


def hold_id(batch: Sealed) -> str:
    """The id of the receipt of what is held for it."""
    return str(uuid.UUID(bytes=batch.hold))


def place_of(target: PreparedTarget, replica: PreparedReplica) -> bytes:
    """Tells one replica with one credential from all others."""
    text = _pack([target.target.name, replica.name, replica.credential.name])
    return hashlib.sha256(text).digest()[:_PLACE_BYTES]


def places(targets: Iterable[PreparedTarget]) -> Places:
    """Where files and batches can be, by what tells each place."""
    return {
        place_of(target, replica): (target, replica)
        for target in targets
        if target.target.batches is not None
        for replica in target.replicas
    }


def _said(seal: bytes, data: bytes, digests: Digests) -> bytes | None:
    """What was sealed; None where the seal is not ours."""
    for number, key in enumerate(digests(_CIPHER)):
        said = _ciphered(data, key, seal)
        if hmac.compare_digest(seal, _seals(_SEAL, said, digests)[number]):
            return said
    clear = _seals(_CLEAR_SEAL, data, digests)
    return data if any(hmac.compare_digest(seal, one) for one in clear) else None


def _ciphered(text: bytes, key: bytes, seal: bytes) -> bytes:
    """What is clear enciphered, and the other way round."""
    stream = hashlib.shake_256(key + seal).digest(len(text))
    mixed = int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")
    return mixed.to_bytes(len(text), "big")


def _seals(label: str, text: bytes, digests: Digests) -> list[bytes]:
    return [digest[:_SEAL_BYTES] for digest in digests(_pack([label, text]))]
