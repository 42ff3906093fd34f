"""message_batches: `/v1/messages/batches`, Anthropic's batches of Messages at its own targets.

A batch is one body, and its results are a path of it. Anthropic keeps no word of whose a batch is:
lists are made of what the ledger knows of a caller's batches.
"""

import asyncio
import re
from typing import Any, Final, NoReturn

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.ask import ANTHROPIC_MESSAGES
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.gateway.batch_desk import name_of
from tidegate.gateway.batch_hold import begun_id
from tidegate.gateway.batch_ids import SEALED, Sealed, opened, owned, place_of, shown
from tidegate.gateway.batch_input import Lines
from tidegate.gateway.batch_place import Account, account_of, ask, choose
from tidegate.gateway.batch_price import pinned
from tidegate.gateway.batch_reading import read, read_through
from tidegate.gateway.batch_settle import Settling, owner_of
from tidegate.gateway.batch_watch import heed, is_through
from tidegate.gateway.batches import Beginning, begin, owner_of_new
from tidegate.gateway.call import header_lines
from tidegate.gateway.entry import Entry
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.world import World
from tidegate.stores.errors import StoreError
from tidegate.text.strict_json import JsonProblem, read_object

# As long as Anthropic keeps results.
LISTED_S: Final = 29 * 86_400.0
MAX_LISTED: Final = 30_000
LINES_A_TURN: Final = 16
RECEIPTS_A_TURN: Final = 64
AT_ONCE: Final = 8
_LIMIT = re.compile(r"[1-9][0-9]{0,2}|1000")
_ID = re.compile(r"[A-Za-z0-9_-]{1,6100}")
_WHY: Final = 'send {"requests": [{"custom_id": "...", "params": {...}}]}'


class _Request(Struct, forbid_unknown_fields=True):
    custom_id: str
    params: Raw


_MEMBERS: Final = frozenset({"requests"})
_OF_EACH: Final = frozenset(_Request.__struct_fields__)
_requests: Final = msgspec.json.Decoder(list[Raw]).decode
_request: Final = msgspec.json.Decoder(_Request).decode
_encode: Final = msgspec.json.Encoder().encode


async def create(incoming: Incoming, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Begins a batch. Failure, Refusal."""
    rows = _rows(incoming.body)
    own = world.dialects[ANTHROPIC_MESSAGES]
    entry = Entry("chat", own.content, own.starts, own)
    lines = Lines(key, world.obeyed(), world.gateway, {})
    asked: list[bytes] = []
    headers: tuple[tuple[str, str], ...] = ()
    for number, row in enumerate(rows):
        said = _one(row, number)
        sent = lines.take_message(said.custom_id, bytes(said.params), entry, incoming.head)
        headers = sent.headers
        asked.append(b'{"custom_id":%b,"params":%b}' % (_encode(said.custom_id), sent.body))
        if number % LINES_A_TURN == 0:
            await asyncio.sleep(0)
    assert lines.serves is not None  # noqa: S101 - there are requests
    world.check_journal()
    at = choose(lines.target, clock.monotonic_s())
    file = Sealed(
        kind="input",
        own="",
        place=place_of(at.target, at.replica),
        route=lines.serves.route.route.name,
        endpoint=lines.endpoint,
        key_id=key.id,
        team=key.team,
        customer=key.customer,
        most_nanousd=lines.most_nanousd,
        line_nanousd=lines.line_nanousd,
        price=pinned(lines.serves.batches.price),
        dialect=lines.dialect,
    )
    owner = replace(owner_of_new(file, at, key, world), lines=lines.count)
    body = b'{"requests":[%b]}' % b",".join(asked)
    what = Beginning(at, body, file, owner, "messages", header_lines(headers))
    told, batch = await begin(what, key, world, request_id)
    return _encode(_shown(told, batch, world))


async def retrieve(id: str, key: KeyRecord, world: World, request_id: str) -> bytes:
    """A batch as it stands. Failure, Refusal."""
    batch, at = _found(id, key, world)
    told = await _ask(at, b"GET", batch, request_id)
    return _encode(_shown(told, batch, world))


async def cancel(id: str, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Calls a batch back; what it has done by then is charged. Failure, Refusal."""
    batch, at = _found(id, key, world)
    told = await _ask(at, b"POST", batch, request_id, b"/cancel")
    return _encode(_shown(told, batch, world))


async def delete(id: str, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Deletes a batch that is through, once its results are settled. Failure, Refusal."""
    batch, at = _found(id, key, world)
    if is_through(await _ask(at, b"GET", batch, request_id), batch):
        world.check_journal()
        results = replace(batch, batch=batch.own)
        settling = Settling(at, await owner_of(results, world), world)
        await read_through(at, results, settling, request_id)
    told = await _ask(at, b"DELETE", batch, request_id)
    return _encode({**told, "id": id})


async def results(
    id: str, key: KeyRecord, world: World, request_id: str, connection: Connection
) -> None:
    """Sends its results as they come; what goes wrong once they have begun cuts them. Failure,
    Refusal before."""
    batch, at = _found(id, key, world)
    world.check_journal()
    of = replace(batch, batch=batch.own)
    settling = Settling(at, await owner_of(of, world), world)
    await read_through(at, of, settling, request_id, connection)


async def list_all(query: bytes, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Those of this key's team and customer on routes that it may use, the newest first. Failure,
    Refusal."""
    limit, after, before = _query(query)
    known = await _known(key, world)
    start, end = 0, len(known)
    if after is not None:
        at = _index(after, known, key, world)
        start = end if at is None else at + 1
    if before is not None and (at := _index(before, known, key, world)) is not None:
        end = at
        start = max(start, end - limit)
    page = known[start : min(end, start + limit)]
    rows: list[dict[str, Any]] = []
    for at in range(0, len(page), AT_ONCE):
        some = (_row(one, world, request_id) for one in page[at : at + AT_ONCE])
        rows += [row for row in await asyncio.gather(*some) if row is not None]
    ends = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
    more = start > 0 if before is not None else start + limit < end
    return _encode({"data": rows, "has_more": more, "first_id": ends[0], "last_id": ends[1]})


def _index(id: str, known: list[Sealed], key: KeyRecord, world: World) -> int | None:
    """Where the batch of this id is, which may have been given under an older pepper."""
    named = opened(id, key, world.keys.digests)
    name = None if named is None else name_of(named)
    return next((at for at, one in enumerate(known) if name_of(one) == name), None)


async def _row(batch: Sealed, world: World, request_id: str) -> dict[str, Any] | None:
    """None where it is gone."""
    try:
        at = account_of(batch, world.obeyed())
        return _shown(await _ask(at, b"GET", batch, request_id), batch, world)
    except Refusal as no:
        if no.code.name != "not_found":
            raise
        return None


async def _known(key: KeyRecord, world: World) -> list[Sealed]:
    """What the ledger has of this caller's batches, and this process of those that it has begun.
    Refusal."""
    found = {id: one for id, one in world.batches.begun.items() if one.team == key.team}
    try:
        if world.past is not None:
            since_s = clock.wall_s() - LISTED_S
            past = await world.past.holds(since_s, MAX_LISTED, team=key.team)
            found.update((one.id, one) for one in past)
    except (StoreError, OSError):
        message = "which batches there are cannot be read now"
        raise Refusal("store_unavailable", message, retry_after_s=1.0) from None
    batches = []
    for number, receipt in enumerate(found.values()):
        if number % RECEIPTS_A_TURN == 0:
            await asyncio.sleep(0)
        id = (receipt.attributes or {}).get(SEALED)
        batch = None if id is None else opened(id, key, world.keys.digests)
        if batch is None or batch.kind != "messages" or receipt.id != begun_id(batch):
            continue
        if key.may_use(batch.route):
            batches.append(batch)
    return sorted(batches, key=lambda one: (-one.at_ms, one.own))


async def _ask(
    at: Account, method: bytes, batch: Sealed, request_id: str, rest: bytes = b""
) -> dict[str, Any]:
    path = b"/batches/%b%b" % (batch.own.encode(), rest)
    return read(await ask(at, method, path, request_id, body=b"" if rest else None))


def _found(id: str, key: KeyRecord, world: World) -> tuple[Sealed, Account]:
    batch = owned(id, ("messages",), key, world.keys.digests)
    return batch, account_of(batch, world.obeyed())


def _shown(told: dict[str, Any], batch: Sealed, world: World) -> dict[str, Any]:
    """A batch as its caller is to see it. Clients take a path below their own base for an
    address."""
    heed(told, batch, world)
    id = shown(batch, world.keys.digests)
    path = None if told.get("results_url") is None else f"/v1/messages/batches/{id}/results"
    return {**told, "id": id, "results_url": path}


def _rows(body: bytes) -> list[Raw]:
    try:
        members = read_object(body, _MEMBERS)
    except JsonProblem as problem:
        raise Refusal("invalid_json", str(problem), param=problem.path) from None
    if members.keys() != _MEMBERS:
        raise Refusal("invalid_parameter", _WHY)
    try:
        rows = _requests(members["requests"])
    except (msgspec.DecodeError, RecursionError):
        raise Refusal("invalid_parameter", _WHY, param="requests") from None
    if not rows:
        raise Refusal("invalid_parameter", "`requests` is empty", param="requests")
    return rows


def _one(row: Raw, number: int) -> _Request:
    try:
        read_object(bytes(row), _OF_EACH)
        return _request(row)
    except JsonProblem as problem:
        _no(number, str(problem).replace("the body", "it"), "invalid_json")
    except (msgspec.DecodeError, RecursionError):
        _no(number, _WHY, "invalid_parameter")


def _no(number: int, why: str, code: str) -> NoReturn:
    name = f"requests.{number}"
    raise Refusal(code, f"`{name}`: {why}", param=name) from None


def _query(query: bytes) -> tuple[int, str | None, str | None]:
    limit, found = 20, dict[str, str]()
    for pair in query.decode("latin-1").split("&") if query else ():
        name, _, value = pair.partition("=")
        if name == "limit" and _LIMIT.fullmatch(value):
            limit = int(value)
        elif name in ("after_id", "before_id") and _ID.fullmatch(value):
            found[name] = value
        elif name != "beta":
            message = "a list of batches takes `limit` (1 to 1000), `after_id` and `before_id`"
            raise Refusal("invalid_parameter", message, param="query")
    return limit, found.get("after_id"), found.get("before_id")
