"""stored: whose an answer is that its provider keeps, and which replica keeps it.

A caller goes on from such an answer by its id (`previous_response_id`). All callers share the
provider's credential, so that the bare id would open everybody's conversations; and only the
replica that keeps the answer can go on. So the id that a caller sees ends in a seal of ours over
team, replica, credential, id and what is counted of its conversation: the replica that it fits is
asked with that credential, and where it fits none, nobody is. Nothing is kept here for it, and
every gateway of a database reads what another has sealed.
"""

import hmac
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Ask
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.prepared_target import PreparedReplica, PreparedTarget
from tidegate.text.rounds import rounds

# The keyed digests of a text, under the secret of now first: it changes while answers are kept.
Digests = Callable[[bytes], list[bytes]]
Keeper = tuple[PreparedTarget, PreparedReplica]
_SEAL_CHARS: Final = 32
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
# The provider's id, the rounds of tool calls up to the answer, the seal.
_SHOWN = re.compile(r"([A-Za-z0-9_-]{1,128})-tg(\d{1,6})-([0-9a-f]{32})", re.ASCII)
_NULL: Final = Raw(b"null")
_NOTHING: Final = (b"null", b"false")


class _Item(Struct):
    type: Any = None
    role: Any = None


_items = msgspec.json.Decoder(list[_Item]).decode
_encode = msgspec.json.Encoder().encode


def read(
    ask: Ask, receipt: Receipt, targets: Sequence[PreparedTarget], digests: Digests
) -> Keeper | None:
    """Makes ids that the caller knows those that the provider knows, and back in the answer. The
    only replica that can go on from what it keeps; None where any can serve. Refusal."""
    _check(ask)
    keeper, was = None, None
    given = ask.members.get("previous_response_id", _NULL)
    if given != _NULL:
        keeper, own, shown = _find(given, ask, receipt, targets, digests)
        was = own, shown
        ask.members["previous_response_id"] = Raw(_encode(own))
        ask.body = _encode(ask.members)
    keeps = bytes(ask.members.get("store", _NULL)) != b"false"
    if keeps or was is not None:
        rounds_now = rounds(ask) if keeps else None
        ask.renamed = Renamed(receipt.team, digests, was, rounds_now)
    return keeper


def check_alone(ask: Ask) -> None:
    """Refusal of a line of a batch that goes on from what is kept, or that nobody waits for."""
    _check(ask)
    if ask.members.get("previous_response_id", _NULL) != _NULL:
        name = "previous_response_id"
        message = f"`{name}`: a line of a batch goes on from no answer; send the whole conversation"
        raise Refusal("unsupported_parameter", message, param=name)


def _check(ask: Ask) -> None:
    """Refusal of what would be kept, or is brought back, without its owner being known."""
    for name, why in (
        ("background", "what such an answer costs is not told here; leave it out"),
        ("conversation", "whose it is, is not known here; use `previous_response_id`"),
    ):
        if bytes(ask.members.get(name, _NULL)) not in _NOTHING:
            raise Refusal("unsupported_parameter", f"`{name}`: {why}", param=name)
    try:
        items = _items(ask.members.get("input", b"[]"))
    except (msgspec.DecodeError, RecursionError):
        return  # a text, or what the provider will not take
    for at, item in enumerate(items):
        if item.type == "item_reference" or (item.type is None and item.role is None):
            place = f"input[{at}]"
            message = f"`{place}` names an item that is kept somewhere; send the item itself"
            raise Refusal("unsupported_parameter", message, param=place)


def _find(
    given: Raw, ask: Ask, receipt: Receipt, targets: Sequence[PreparedTarget], digests: Digests
) -> tuple[Keeper, str, str]:
    """(the replica that keeps the answer, its id there, its id here), and notes the rounds up to
    it. Refusal."""
    name = "previous_response_id"
    try:
        shown = msgspec.json.decode(given, type=str)
    except msgspec.DecodeError:
        raise Refusal("invalid_parameter", f"`{name}` must be a string", param=name) from None
    found = find(shown, receipt.team, targets, digests)
    if found is not None:
        keeper, own, ask.rounds_before = found
        return keeper, own, shown
    message = f"`{name}` names no answer that this model keeps for you; send the whole conversation"
    raise Refusal("invalid_parameter", message, param=name)


def find(
    shown: str, team: str | None, targets: Sequence[PreparedTarget], digests: Digests
) -> tuple[Keeper, str, int] | None:
    """(the replica that keeps the answer, its id there, the rounds up to it), of an answer that
    this team knows as `shown`."""
    match = _SHOWN.fullmatch(shown)
    if match is None:
        return None
    own, told, seal = match.groups()
    for target, replica in [(it, replica) for it in targets for replica in it.replicas]:
        seals = _seals(own, int(told), team, replica, digests)
        if any(hmac.compare_digest(seal, one) for one in seals):
            return (target, replica), own, int(told)
    return None


def _seals(
    id: str, rounds_now: int, team: str | None, replica: PreparedReplica, digests: Digests
) -> list[str]:
    place = (replica.name, replica.credential.name)
    text = _encode(["stored answer", team, *place, id, rounds_now])
    return [digest.hex()[:_SEAL_CHARS] for digest in digests(text)]


class Renamed:
    """An answer's bytes as the caller is to see them; `replica` is whose they are. `was` is the
    answer that it goes on from, by its id there and here; without `rounds_now` nobody can go on
    from this one."""

    __slots__ = ("_digests", "_rounds_now", "_team", "_was", "replica")

    def __init__(
        self,
        team: str | None,
        digests: Digests,
        was: tuple[str, str] | None,
        rounds_now: int | None,
    ) -> None:
        self.replica: PreparedReplica | None = None
        self._team = team
        self._digests = digests
        self._was = was
        self._rounds_now = rounds_now

    def __call__(self, data: bytes, id: str) -> bytes:
        """Within a text of JSON no id can stand between quotes: there they are escaped."""
        if self._was is not None:
            own, shown = self._was
            data = data.replace(b'"%b"' % own.encode(), b'"%b"' % shown.encode())
        if self._rounds_now is None or self.replica is None or not _ID.fullmatch(id):
            return data
        seals = _seals(id, self._rounds_now, self._team, self.replica, self._digests)
        shown = f"{id}-tg{self._rounds_now}-{seals[0]}"
        return data.replace(b'"%b"' % id.encode(), b'"%b"' % shown.encode())
