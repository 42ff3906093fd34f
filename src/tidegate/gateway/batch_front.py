"""batch_front: the paths of files and batches. None of it is a request that a model serves, so none
leaves a receipt but the lines of results."""

import re
from typing import Final, NamedTuple

from tidegate.core import clock
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway import batches, file_list, files
from tidegate.gateway.authenticate import authenticate
from tidegate.gateway.batch_list import list_all
from tidegate.gateway.batch_place import with_files
from tidegate.gateway.batches import MayExist
from tidegate.gateway.files import boundary_in
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.world import World

_PATH = re.compile(
    rb"(?:/v1)?/(?:(files)(?:/([A-Za-z0-9_.-]{1,6100})(/content)?)?"
    rb"|(batches)(?:/([A-Za-z0-9_.-]{1,6100})(/cancel)?)?)"
)
UPLOADS: Final = (b"/v1/files", b"/files")
_METHODS: Final = {
    ("files", False, ""): ("GET", "POST"),
    ("files", True, ""): ("GET", "DELETE"),
    ("files", True, "/content"): ("GET",),
    ("batches", False, ""): ("GET", "POST"),
    ("batches", True, ""): ("GET",),
    ("batches", True, "/cancel"): ("POST",),
}


class Place(NamedTuple):
    """What is asked for: `files` or `batches`, an id of ours or none, and what of it."""

    noun: str
    id: str
    rest: str


def batch_place(head: Head) -> Place | None:
    """None where the path is of neither."""
    match = _PATH.fullmatch(head.path)
    if match is None:
        return None
    noun, id, rest = match.groups()[:3] if match[1] else match.groups()[3:]
    return Place(noun.decode(), (id or b"").decode(), (rest or b"").decode())


async def leave_to_send(world: World, head: Head) -> str:
    """The team whose file comes behind this head. Refusal where none of it is to be read."""
    receipt = Receipt("", 0.0, world.gateway, "chat")  # only to be written on
    key = await authenticate(head, world.keys, receipt)
    world.batches.rate.admit(key.id, clock.monotonic_s())
    plan = world.obeyed()
    if not with_files(plan, filter(key.may_use, plan.routes)):
        message = "no provider of this API key's models takes files of requests"
        raise Refusal("route_not_allowed", message)
    boundary_in(head)
    return key.team


async def batch_front(
    incoming: Incoming, connection: Connection, place: Place, world: World
) -> None:
    """Answers one such request."""
    request_id = world.ids.new()
    try:
        body = await _answer(incoming, connection, place, world, request_id)
        if body is None:
            return
        head = answers.json_head(200)
    except (Refusal, Failure) as no:
        world.listener.refused(no.code.name)
        head, body = answers.error_head(no), answers.error_body(no)
        if isinstance(no, MayExist):
            head = head.replace(b"x-should-retry: true", b"x-should-retry: false")
        if no.code.name == "method_not_allowed":
            head += f"allow: {', '.join(_METHODS[_kind(place)])}\r\n".encode()
    finally:
        if incoming.spool is not None:
            incoming.spool.close()
    connection.send(head + answers.request_id_header(request_id), body)


async def _answer(
    incoming: Incoming, connection: Connection, place: Place, world: World, request_id: str
) -> bytes | None:
    """The body of a whole answer; None where it was sent already. Failure, Refusal."""
    head = incoming.head
    receipt = Receipt(request_id, 0.0, world.gateway, "chat")  # only to be written on
    key = await authenticate(head, world.keys, receipt)
    if incoming.spool is None:  # else it was asked for on its head
        world.batches.rate.admit(key.id, clock.monotonic_s())
    method, takes = head.method.decode("latin-1"), _METHODS[_kind(place)]
    if method not in takes:
        raise Refusal("method_not_allowed", f"this path takes {' and '.join(takes)}")
    if place.noun == "batches":
        return await _of_batches(incoming, place, key, world, request_id)
    if not place.id and method == "GET":
        return await file_list.list_all(head.query, key, world, request_id)
    if not place.id:
        return await files.create(incoming, key, world, request_id)
    if place.rest:
        await files.content(place.id, key, world, request_id, connection)
        return None
    act = files.retrieve if method == "GET" else files.delete
    return await act(place.id, key, world, request_id)


async def _of_batches(
    incoming: Incoming, place: Place, key: KeyRecord, world: World, request_id: str
) -> bytes:
    head = incoming.head
    if not place.id:
        if head.method == b"POST":
            return await batches.create(incoming, key, world, request_id)
        return await list_all(head.query, key, world, request_id)
    act = batches.cancel if place.rest else batches.retrieve
    return await act(place.id, key, world, request_id)


def _kind(place: Place) -> tuple[str, bool, str]:
    return place.noun, bool(place.id), place.rest
