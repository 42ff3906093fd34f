"""file_list: a caller's files. Their providers keep nothing with a file that says whose it is: of
files of requests the ledger tells that, of results the seals of their batches."""

import asyncio
import re
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import encode_frame
from tidegate.gateway.batch_ids import SEALED, Sealed, opened, owned, shown
from tidegate.gateway.batch_list import accounts_from, ours, page_of, pages
from tidegate.gateway.batch_place import Account, account_of
from tidegate.gateway.batch_watch import FILES
from tidegate.gateway.batches import receipt_of
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.world import World
from tidegate.stores.errors import StoreError

# As long as providers keep a file of requests, unless they are told otherwise.
LISTED_S: Final = 30 * 86_400.0
MAX_LISTED: Final = 30_000
# In one turn of the loop.
RECEIPTS_A_TURN: Final = 64
# What more is asked for comes on the next page.
MAX_LIMIT: Final = 1000
_REQUESTS: Final = "batch"
_RESULTS: Final = "batch_output"
_LIMIT = re.compile(r"[1-9][0-9]{0,4}")
_AFTER = re.compile(r"[A-Za-z0-9_-]{1,6100}")
_ORDERS: Final = ("asc", "desc")

# Whose a file is, by the account and what it is called there.
Known = dict[tuple[tuple[str, str, str], str], Sealed]


class _Asked(Struct):
    limit: int = MAX_LIMIT
    after: str | None = None
    order: str = "desc"
    purpose: str | None = None


async def note(file: Sealed, at: Account, key: KeyRecord, world: World, request_id: str) -> None:
    """Notes whose a new file is, before its caller is told of it. It stands for no request."""
    receipt = receipt_of(request_id, file, at, key, world)
    receipt.started_at_s, receipt.cost_nanousd = clock.wall_s(), 0
    seal = shown(file, world.keys.digests)
    receipt.attributes = {**key.attributes, "file": file.own, SEALED: seal}
    written = world.journal.written(encode_frame(receipt))
    world.batches.note_begun(receipt)
    await written  # it is there, whether that can be written or not


async def list_all(query: bytes, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Those of this key's team and customer on routes that it may use: of one account at a provider
    after another. Failure, Refusal."""
    plan, asked = world.obeyed(), _query(query)
    after, digests = asked.after, world.keys.digests
    last = None if after is None else owned(after, ("input", "results"), key, digests)
    accounts, cursor = accounts_from(last, key, plan)
    known = await _requests(key, plan, world) if asked.purpose != _RESULTS else {}
    rows: list[dict[str, Any]] = []
    for at in accounts:
        if asked.purpose != _REQUESTS:
            known.update(await _results(at, key, world, request_id))
        await _list(at, cursor, (asked, known, rows), world, request_id)
        cursor = ""
        if len(rows) > asked.limit:
            break
    return page_of(rows, asked.limit)


async def _list(
    at: Account,
    cursor: str,
    wanted: tuple[_Asked, Known, list[dict[str, Any]]],
    world: World,
    request_id: str,
) -> None:
    """Adds what one account has, until there is one more than is asked for."""
    asked, known, rows = wanted
    if not any(name == at.name for name, _ in known):
        return
    path = b"/files?limit=%d&order=%b" % (MAX_LIMIT, asked.order.encode())
    if asked.purpose is not None:
        path += b"&purpose=" + asked.purpose.encode()
    async for told in pages(at, cursor, request_id, whole=False, of=path):
        file = known.get((at.name, str(told.get("id"))))
        if file is not None:
            rows.append({**told, "id": shown(file, world.keys.digests)})
            if len(rows) > asked.limit:
                return


async def _requests(key: KeyRecord, plan: PreparedPlan, world: World) -> Known:
    """The files of requests that the ledger knows, and this process. Refusal."""
    receipts = list(world.batches.begun.values())
    try:
        if world.past is not None:
            since_s = clock.wall_s() - LISTED_S
            receipts += await world.past.holds(since_s, MAX_LISTED, team=key.team)
    except (StoreError, OSError):
        message = "which files there are cannot be read now"
        raise Refusal("store_unavailable", message, retry_after_s=1.0) from None
    known: Known = {}
    for number, receipt in enumerate(receipts):
        if number % RECEIPTS_A_TURN == 0:
            await asyncio.sleep(0)
        id = (receipt.attributes or {}).get(SEALED)
        if id is None or receipt.team != key.team:
            continue
        file = opened(id, key, world.keys.digests)
        if file is None or file.kind != "input" or not key.may_use(file.route):
            continue
        if file.place in plan.batches:
            known[account_of(file, plan).name, file.own] = file
    return known


async def _results(at: Account, key: KeyRecord, world: World, request_id: str) -> Known:
    """The files of results of this caller's batches in one account. Failure, Refusal."""
    known: Known = {}
    async for told in pages(at, "", request_id, whole=False):
        batch = ours(told, at, key, world)
        for name in FILES:
            if batch is not None and isinstance(own := told.get(name), str) and own:
                known[at.name, own] = replace(batch, kind="results", own=own, batch=batch.own)
    return known


def _query(query: bytes) -> _Asked:
    asked = _Asked()
    for pair in query.decode("latin-1").split("&") if query else ():
        name, _, value = pair.partition("=")
        if name == "limit" and _LIMIT.fullmatch(value):
            asked.limit = min(int(value), MAX_LIMIT)
        elif name == "after" and _AFTER.fullmatch(value):
            asked.after = value
        elif name == "order" and value in _ORDERS:
            asked.order = value
        elif name == "purpose" and value in (_REQUESTS, _RESULTS):
            asked.purpose = value
        else:
            message = (
                "a list of files takes `limit` (1 to 10000), `after` (a file's id), `order` (`asc` "
                f"or `desc`) and `purpose` (`{_REQUESTS}` or `{_RESULTS}`)"
            )
            raise Refusal("invalid_parameter", message, param="query")
    return asked
