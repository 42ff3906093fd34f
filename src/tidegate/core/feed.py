"""What control tells the gateways, numbered, and what they answer.

Messages travel over a local stream socket as a little-endian 32-bit length and a MessagePack
body. Control sends `Entry` and `Heartbeat`; a gateway sends `Hello` first, then `Ack` for each
entry it has applied or refused, and `Status` every second.
"""

import struct

import msgspec
from msgspec import Raw, Struct

from tidegate.core.cache_labels import Selector
from tidegate.core.change import Change

HEARTBEAT_S = 0.25
STATUS_S = 1.0
# So many of the last invalidations, and so old ones, are told to a gateway that begins: it keeps
# nothing yet, but a shared store may not have heard of them. Nothing is kept for longer.
MOST_TOLD = 1000
TOLD_S = 31 * 86_400.0
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
LENGTH = struct.Struct("<I")


class PlanPublished(Struct, tag=True, frozen=True):
    """A new plan, whole, as MessagePack of `core.plan.Plan`."""

    version: int
    plan: Raw


class KeyChanged(Struct, tag=True, frozen=True):
    """Forget what you hold of this key: it was created, revoked, rotated or edited."""

    key_id: str


class Forget(Struct, tag=True, frozen=True):
    """Forget every key and kept answer: entries were missed that are no longer kept."""


class Invalidation(Struct, frozen=True):
    """Kept answers that may be given no more. `id` tells it from the same one said again."""

    id: str
    selector: Selector


class AnswersInvalidated(Struct, tag=True, frozen=True):
    """In the order in which they were said."""

    invalidations: tuple[Invalidation, ...]


class InForce(Struct, frozen=True, omit_defaults=True):
    """One lever, held. `remaining_s` is how long from now. With `lease_s` it lasts that long after
    each `Beat` of its epoch, and `remaining_s` is what is left of it if none comes."""

    id: str
    lever: str
    scope: str
    value: float
    remaining_s: float | None = None
    lease_s: float | None = None


def in_force_of(change: Change, remaining_s: float) -> InForce:
    """A change as gateways are told of it: by how long it lasts, not until when."""
    return InForce(change.id, change.lever, change.scope, change.value, remaining_s, change.lease_s)


class ChangesInForce(Struct, tag=True, frozen=True):
    """All changes that hold from now on, whole. An epoch lower than one that was heard is void."""

    epoch: int
    changes: tuple[InForce, ...]


class Beat(Struct, tag=True, frozen=True):
    """The loop of that epoch lives: its leases begin anew. Not numbered, and not kept. It follows
    the entries that its leadership had written by then."""

    epoch: int


class Entry(Struct, tag=True, frozen=True):
    """One numbered entry of the feed."""

    seq: int
    body: PlanPublished | KeyChanged | Forget | ChangesInForce | AnswersInvalidated


class Heartbeat(Struct, tag=True, frozen=True):
    """Control lives. `seq` is the newest entry it has sent."""

    seq: int


class Recorded(Struct, tag=True, frozen=True):
    """Everything of this gateway's journal up to here is in the ledger.

    Sent after each commit while the plan's durability is `store`.
    """

    segment: int
    offset: int


class Hello(Struct, tag=True, frozen=True):
    """The gateway's first word. `last_seq` 0 asks for the current plan and nothing else.
    `plan_version` is what it obeys already, which it may have found without control; 0: nothing."""

    gateway: str
    pid: int
    last_seq: int
    plan_version: int = 0


class Ack(Struct, tag=True, frozen=True):
    """This gateway now obeys `seq`, or refused it with `error` and serves what it had; of changes
    `error` says which it cannot obey."""

    seq: int
    plan_version: int
    error: str | None = None


class Status(Struct, tag=True, frozen=True):
    """Gauges and counters of one gateway process, by metric name and labels.

    `gauges` are values of now; `counters` only rise within one process. A key is the metric's
    name, followed by `|label=value` for each label.
    """

    gauges: dict[str, float]
    counters: dict[str, float]


ToGateway = Entry | Heartbeat | Recorded | Beat
FromGateway = Hello | Ack | Status

_encode = msgspec.msgpack.Encoder().encode
decode_to_gateway = msgspec.msgpack.Decoder(ToGateway).decode
decode_from_gateway = msgspec.msgpack.Decoder(FromGateway).decode


def encode_message(message: ToGateway | FromGateway) -> bytes:
    body = _encode(message)
    return LENGTH.pack(len(body)) + body
