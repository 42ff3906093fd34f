"""`POST /v1/feedback`: what somebody says of an answer, by the `x-request-id` that came with it.

Every key may speak of any id and is answered alike; whether the key made that request, the recorder
finds on the receipt, and drops what is said of others'. So nothing is told of ids.
"""

import asyncio
import math
from collections import Counter
from functools import cached_property
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from tidegate.core import clock, plugs
from tidegate.core.feedback import (
    MAX_COMMENT_CHARS,
    MAX_TAG_CHARS,
    MAX_TAGS,
    Feedback,
    encode_feedback,
    is_request_id,
)
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.authenticate import authenticate
from tidegate.gateway.capturing import Personal
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.key_rate import KeyRate
from tidegate.gateway.spool import Spool
from tidegate.gateway.world import Hears, World
from tidegate.text.strict_json import JsonProblem, read_object

PATHS: Final = (b"/v1/feedback", b"/feedback")
MAX_BODY_BYTES: Final = 64 * 1024
MAX_SPOOL_BYTES: Final = 64 * 1024 * 1024
# A key's in one gateway process: so many at once, and so many more a second.
BURST: Final = 60
PER_S: Final = 2.0
_WORDS: Final = {"up": 1.0, "down": -1.0}
_WHY: Final = (
    'send {"request_id": the x-request-id of an answer, "rating": "up", "down" or a number from -1 '
    f'to 1, "comment": up to {MAX_COMMENT_CHARS} characters, "regenerated": true, "tags": up to '
    f"{MAX_TAGS} words}}, at least one of them beside the id"
)
_Tag = Annotated[str, Meta(min_length=1, max_length=MAX_TAG_CHARS)]


class _Said(Struct, forbid_unknown_fields=True):
    request_id: str
    rating: str | float | None = None
    comment: Annotated[str, Meta(max_length=MAX_COMMENT_CHARS)] | None = None
    regenerated: bool = False
    tags: Annotated[tuple[_Tag, ...], Meta(max_length=MAX_TAGS)] = ()


_decode: Final = msgspec.json.Decoder(_Said).decode


class Hearing:
    """What one gateway process takes of feedback."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.taken = 0
        self.rate = KeyRate(PER_S, BURST, "give feedback")

    @cached_property
    def _personal(self) -> Personal:
        found: Personal = plugs.load("text", "personal")()
        return found

    def admit(self, key_id: str, now_s: float) -> None:
        """Refusal where the key says more than may be said in a time."""
        self.rate.admit(key_id, now_s)

    def keep(self, said: list[Feedback], now_s: float) -> bool:
        """Blocking. Whether all of it was written."""
        kept = all(self.spool.append(encode_feedback(it), now_s) for it in said)
        self.taken += kept
        return kept

    def clean(self, text: str) -> str:
        """Without secrets and structured personal data. Blocking."""
        return self._personal.taken_out(text, Counter())


async def feedback(incoming: Incoming, connection: Connection, world: World) -> None:
    """Answers one such request."""
    receipt = Receipt(world.ids.new(), 0.0, world.gateway, "chat")  # only to be written on
    try:
        key = await authenticate(incoming.head, world.keys, receipt)
        said = await _take(incoming, key, world)
        head = answers.json_head(202)
        body = msgspec.json.encode({"object": "feedback", "request_id": said})
    except Refusal as no:
        world.listener.refused(no.code.name)
        head, body = answers.error_head(no), answers.error_body(no)
    connection.send(head + answers.request_id_header(receipt.id), body)


async def _take(incoming: Incoming, key: KeyRecord, world: World) -> str:
    """The id that was spoken of. Refusal."""
    hearing, now_s = world.hearing, clock.monotonic_s()
    if hearing is None:
        raise Refusal("ledger_unavailable", "the gateway takes no feedback now")
    hearing.admit(key.id, now_s)
    said = _read(incoming.body)
    if not await asyncio.to_thread(_kept, said, key, hearing, now_s):
        message = "the gateway cannot record feedback now"
        raise Refusal("ledger_unavailable", message, retry_after_s=5.0)
    return said.request_id


def _read(body: bytes) -> _Said:
    if len(body) > MAX_BODY_BYTES:
        raise Refusal("body_too_large", f"feedback has at most {MAX_BODY_BYTES} bytes")
    try:
        read_object(body, frozenset(_Said.__struct_fields__))
        said = _decode(body)
    except JsonProblem as problem:
        raise Refusal("invalid_json", str(problem), param=problem.path) from None
    except (msgspec.DecodeError, RecursionError):
        raise Refusal("invalid_parameter", _WHY) from None
    if not is_request_id(said.request_id):
        message = "`request_id` must be the x-request-id of an answer"
        raise Refusal("invalid_parameter", message, param="request_id")
    return said


def _kept(said: _Said, key: KeyRecord, hearing: Hears, now_s: float) -> bool:
    """Blocking. Whether all of it was written. Refusal."""
    return hearing.keep(_kinds(said, key, hearing), now_s)


def _kinds(said: _Said, key: KeyRecord, hearing: Hears) -> list[Feedback]:
    about = Feedback(
        said.request_id, key.id, "rating", clock.wall_s(), team=key.team, customer=key.customer
    )
    found = []
    if said.rating is not None:
        found.append(replace(about, rating=_rating(said.rating)))
    if said.comment is not None and said.comment.strip():
        found.append(replace(about, kind="comment", comment=hearing.clean(said.comment)))
    if said.regenerated:
        found.append(replace(about, kind="regenerated"))
    if said.tags:
        tags = tuple(dict.fromkeys(hearing.clean(it) for it in said.tags))
        found.append(replace(about, kind="tags", tags=tags))
    if not found:
        raise Refusal("missing_parameter", _WHY)
    return found


def _rating(said: str | float) -> float:
    rating = _WORDS.get(said) if isinstance(said, str) else said
    if rating is None or not math.isfinite(rating) or not -1 <= rating <= 1:
        message = "`rating` must be `up`, `down` or a number from -1 to 1"
        raise Refusal("invalid_parameter", message, param="rating")
    return rating
