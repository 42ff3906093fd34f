"""files: `/v1/files`, what a batch is made of and what has become of its lines.

The file of a batch is judged before it goes to its provider (`batch_input`); results are priced as
they are read (`batch_settle`). Neither is kept here; `file_list` tells a caller's from others'.
"""

import asyncio
import tempfile
from typing import BinaryIO, Final

import msgspec

from tidegate.core import clock
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.gateway.batch_ids import Sealed, owned, place_of, shown
from tidegate.gateway.batch_input import MAX_LINE_BYTES, Lines, urls
from tidegate.gateway.batch_place import Account, account_of, ask, choose
from tidegate.gateway.batch_price import pinned
from tidegate.gateway.batch_reading import own_id, read, read_through
from tidegate.gateway.batch_settle import Settling, owner_of
from tidegate.gateway.batch_transfer import Upload, upload
from tidegate.gateway.file_list import note
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.world import World
from tidegate.text import multipart
from tidegate.text.multipart import Body, MultipartProblem, Part

# In one turn of the loop, whichever is reached first.
LINES_A_TURN: Final = 16
BYTES_A_TURN: Final = 256 * 1024
# With those that are empty.
MAX_LINES_LOOKED_AT: Final = 2_000_000
RETRY_S: Final = 5.0
# Fields of the form besides `file` and `purpose`, which go along as they are.
PASSED: Final = frozenset({"expires_after[anchor]", "expires_after[seconds]"})
MAX_FIELD_BYTES: Final = 256
_encode: Final = msgspec.json.Encoder().encode


async def create(incoming: Incoming, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Takes a file of requests. Failure, Refusal."""
    body: Body = incoming.body if incoming.spool is None else incoming.spool.mapped()
    part, fields = await _form(incoming.head, body)
    incoming.body = b""  # nobody else reads it, and it is as long as the file
    world.check_journal()
    lines = Lines(key, world.obeyed(), world.gateway, urls(world.dialects))
    with tempfile.TemporaryFile(dir=world.batches.folder) as file:
        try:
            await _judge(body, part, lines, file)
            file.flush()
        except OSError:
            message = "there is no room on disk for the file"
            raise Refusal("overloaded", message, retry_after_s=RETRY_S) from None
        del body
        at = choose(lines.target, clock.monotonic_s())
        size = file.tell()
        file.seek(0)
        what = Upload(file, size, part.filename or "batch.jsonl", fields)
        told = read(await upload(at, what, request_id))
    own = own_id(told)
    assert lines.serves is not None  # noqa: S101 - there are lines
    sealed = Sealed(
        kind="input",
        own=own,
        place=place_of(at.target, at.replica),
        route=lines.serves.route.route.name,
        endpoint=lines.endpoint,
        key_id=key.id,
        team=key.team,
        customer=key.customer,
        most_nanousd=lines.most_nanousd,
        unbound=lines.unbound,
        line_nanousd=lines.line_nanousd,
        price=pinned(lines.serves.batches.price),
        dialect=lines.dialect,
        added=lines.adds,
    )
    await note(sealed, at, key, world, request_id)
    return _encode({**told, "id": shown(sealed, world.keys.digests)})


async def retrieve(id: str, key: KeyRecord, world: World, request_id: str) -> bytes:
    """What the provider says of a file. Failure, Refusal."""
    sealed, at = _found(id, key, world)
    told = read(await ask(at, b"GET", b"/files/" + sealed.own.encode(), request_id))
    return _encode({**told, "id": id})


async def delete(id: str, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Deletes a file where it is kept. Results are settled before they are gone. Failure,
    Refusal."""
    sealed, at = _found(id, key, world)
    if sealed.kind == "results":
        world.check_journal()
        await read_through(at, sealed, await _results(sealed, at, world), request_id)
    body = await ask(at, b"DELETE", b"/files/" + sealed.own.encode(), request_id)
    told = read(body) if body else {"object": "file", "deleted": True}
    return _encode({**told, "id": id})


async def content(
    id: str, key: KeyRecord, world: World, request_id: str, connection: Connection
) -> None:
    """Sends a file to its reader as it comes; what goes wrong once it has begun cuts it. Failure,
    Refusal before."""
    sealed, at = _found(id, key, world)
    if sealed.added:
        message = "it has what its route adds, which is not shown: keep your own copy"
        raise Refusal("not_found", message)
    settling = None
    if sealed.kind == "results":
        world.check_journal()
        settling = await _results(sealed, at, world)
    await read_through(at, sealed, settling, request_id, connection)


def _found(id: str, key: KeyRecord, world: World) -> tuple[Sealed, Account]:
    sealed = owned(id, ("input", "results"), key, world.keys.digests)
    return sealed, account_of(sealed, world.obeyed())


async def _results(sealed: Sealed, at: Account, world: World) -> Settling:
    return Settling(at, await owner_of(sealed, world), world)


def boundary_in(head: Head) -> bytes:
    """The boundary of the form that comes behind this head. Refusal."""
    try:
        return multipart.boundary_of(head.headers.get(b"content-type", b"").decode("latin-1"))
    except MultipartProblem as problem:
        raise Refusal("invalid_request", str(problem)) from None


async def _form(head: Head, body: Body) -> tuple[Part, tuple[tuple[str, str], ...]]:
    """The file, and what goes along with it. Others' requests are served between its pieces.
    Refusal."""
    found: dict[str, Part] = {}
    try:
        for parts in multipart.looking(body, boundary_in(head), written_anew=True):
            found = {part.name: part for part in parts or ()}
            await asyncio.sleep(0)
    except MultipartProblem as problem:
        raise Refusal("invalid_request", str(problem)) from None
    for name in ("file", "purpose"):
        if name not in found:
            raise Refusal("missing_parameter", f"`{name}` is missing", param=name)
    fields = {}
    for name, part in found.items():
        if name == "file":
            continue
        if name != "purpose" and name not in PASSED:
            message = f"`{name}` is no field of a file of requests"
            raise Refusal("unsupported_parameter", message, param=name)
        value = part.content(body)
        if len(value) > MAX_FIELD_BYTES or not value.isascii() or b"\r" in value or b"\n" in value:
            raise Refusal("invalid_parameter", f"`{name}` cannot be read", param=name)
        fields[name] = value.decode()
    if fields["purpose"] != "batch":
        message = "`purpose` must be `batch`: no other files are taken here"
        raise Refusal("invalid_parameter", message, param="purpose")
    return found["file"], tuple(fields.items())


async def _judge(body: Body, part: Part, lines: Lines, file: BinaryIO) -> None:
    """Writes the file as its provider gets it. Refusal that names the line that is wrong."""
    at, turn, size = part.start, 0, 0
    while at < part.end:
        end = body.find(b"\n", at, min(part.end, at + MAX_LINE_BYTES + 1))
        end = min(part.end, at + MAX_LINE_BYTES + 1) if end < 0 else end
        # Of what is too long no more than shows it: nothing as long as the file is in memory.
        line = bytes(body[at : min(end, at + MAX_LINE_BYTES + 1)])
        at, size = end + 1, size + len(line)
        if line.strip() or len(line) > MAX_LINE_BYTES:
            file.write(lines.take(line) + b"\n")
        turn += 1
        if turn > MAX_LINES_LOOKED_AT:
            raise Refusal("body_too_large", "the file has too many empty lines", param="file")
        if turn % LINES_A_TURN == 0 or size > BYTES_A_TURN:
            size = 0
            await asyncio.sleep(0)
    if not lines.count:
        raise Refusal("invalid_parameter", "the file has no line", param="file")
