"""message_front: the paths of Anthropic's batches of Messages, in its wire."""

import re
from typing import Final, NamedTuple

from tidegate.core import clock
from tidegate.core.ask import ANTHROPIC_MESSAGES
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway import message_batches
from tidegate.gateway.authenticate import authenticate
from tidegate.gateway.batches import MayExist
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.world import World

_PATH = re.compile(
    rb"(?:/anthropic)?(?:/v1)?/messages/batches"
    rb"(?:/([A-Za-z0-9_.-]{1,6100})(/cancel|/results)?)?"
)
_METHODS: Final = {
    (False, ""): ("GET", "POST"),
    (True, ""): ("GET", "DELETE"),
    (True, "/cancel"): ("POST",),
    (True, "/results"): ("GET",),
}


class Place(NamedTuple):
    """An id of ours or none, and what of it."""

    id: str
    rest: str


def message_place(head: Head) -> Place | None:
    """None where the path is of nothing here."""
    match = _PATH.fullmatch(head.path)
    if match is None:
        return None
    return Place((match[1] or b"").decode(), (match[2] or b"").decode())


async def message_front(
    incoming: Incoming, connection: Connection, place: Place, world: World
) -> None:
    """Answers one such request."""
    request_id, dialect = world.ids.new(), world.dialects[ANTHROPIC_MESSAGES]
    try:
        body = await _answer(incoming, connection, place, world, request_id)
        if body is None:
            return
        head = answers.json_head(200)
    except (Refusal, Failure) as no:
        world.listener.refused(no.code.name)
        head, body = answers.error_head(no, dialect.status(no)), dialect.error(no, request_id)
        if isinstance(no, MayExist):
            head = head.replace(b"x-should-retry: true", b"x-should-retry: false")
        if no.code.name == "method_not_allowed":
            head += f"allow: {', '.join(_takes(place))}\r\n".encode()
    head += answers.request_id_header(request_id)
    connection.send(head + answers.request_id_header(request_id, dialect.id_header), body)


async def _answer(
    incoming: Incoming, connection: Connection, place: Place, world: World, request_id: str
) -> bytes | None:
    """The body of a whole answer; None where it was sent already. Failure, Refusal."""
    head = incoming.head
    receipt = Receipt(request_id, 0.0, world.gateway, "chat")  # only to be written on
    key = await authenticate(head, world.keys, receipt)
    world.batches.rate.admit(key.id, clock.monotonic_s())
    method = head.method.decode("latin-1")
    if method not in _takes(place):
        raise Refusal("method_not_allowed", f"this path takes {' and '.join(_takes(place))}")
    if place.rest == "/results":
        await message_batches.results(place.id, key, world, request_id, connection)
        return None
    return await _whole(incoming, place, key, world, request_id)


async def _whole(
    incoming: Incoming, place: Place, key: KeyRecord, world: World, request_id: str
) -> bytes:
    head = incoming.head
    if not place.id:
        if head.method == b"POST":
            return await message_batches.create(incoming, key, world, request_id)
        return await message_batches.list_all(head.query, key, world, request_id)
    if head.method == b"DELETE":
        act = message_batches.delete
    else:
        act = message_batches.cancel if place.rest else message_batches.retrieve
    return await act(place.id, key, world, request_id)


def _takes(place: Place) -> tuple[str, ...]:
    return _METHODS[bool(place.id), place.rest]
