"""batch_list: a caller's batches, as the seals in their metadata tell them from others'."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.batch_ids import OWNER, Sealed, opened, owned
from tidegate.gateway.batch_place import Account, account, account_of, ask, with_files
from tidegate.gateway.batch_reading import own_id, read
from tidegate.gateway.batches import shown_to
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.world import World

# So many pages of a list are looked through for one of ours.
MAX_PAGES: Final = 10
_PAGE: Final = 100
_LIMIT = re.compile(r"[1-9][0-9]?|100")
_AFTER = re.compile(r"[A-Za-z0-9_-]{1,6100}")
_encode: Final = msgspec.json.Encoder().encode


async def pages(
    at: Account, cursor: str, request_id: str, *, whole: bool = True, of: bytes | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Each batch of one account, the newest first, or what else the path `of` lists, behind the one
    that `cursor` names. Failure, Refusal, also where it has more than are looked through and
    `whole` asks for all."""
    after = b"after_id" if at.wire.form == "messages" else b"after"
    for _ in range(MAX_PAGES):
        path = of or b"/batches?limit=%d" % _PAGE
        path += b"&%b=%b" % (after, cursor.encode()) if cursor else b""
        page = read(await ask(at, b"GET", path, request_id))
        data = page.get("data")
        if not isinstance(data, list):  # which is not to be taken for an empty one
            raise Failure("malformed", "upstream_malformed", "the provider's answer is no list")
        items = [one for one in data if isinstance(one, dict)]
        ids = [one.get("id") for one in items] if cursor else []
        if cursor in ids:  # this provider passes over where to begin
            items = items[ids.index(cursor) + 1 :]
        for told in items:
            yield told
        # Where it does not say whether there is more, a full page is not taken for all.
        if page.get("has_more", len(data) >= _PAGE) is not True:
            return
        if not items:
            break
        cursor = own_id(items[-1])
    if whole:
        raise Refusal("not_found", "the provider lists more batches than can be looked through")


async def list_all(query: bytes, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Those of this key's team and customer on routes that it may use: of one account at a provider
    after another, the newest first in each. Failure, Refusal."""
    plan = world.obeyed()
    limit, after = _query(query)
    last = None if after is None else owned(after, ("batch",), key, world.keys.digests)
    accounts, cursor = accounts_from(last, key, plan)
    rows: list[dict[str, Any]] = []
    for at in accounts:
        await _list(at, cursor, rows, limit + 1, (key, world, request_id))
        cursor = ""
        if len(rows) > limit:
            break
    return page_of(rows, limit)


def page_of(rows: list[dict[str, Any]], limit: int) -> bytes:
    """The answer with the first of these, of which one more than is asked for may be there."""
    more, rows = len(rows) > limit, rows[:limit]
    ends = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
    page = {"object": "list", "data": rows, "has_more": more}
    return _encode({**page, "first_id": ends[0], "last_id": ends[1]})


def accounts_from(
    last: Sealed | None, key: KeyRecord, plan: PreparedPlan
) -> tuple[list[Account], str]:
    """The accounts that this key's files and batches may be in, from the one on that has `last`,
    and what is called `last` there. Refusal."""
    accounts = list(_accounts(key, plan))
    if last is None:
        return accounts, ""
    here = account_of(last, plan)
    found = [number for number, one in enumerate(accounts) if one.name == here.name]
    return accounts[found[0] if found else len(accounts) :], last.own


async def _list(
    at: Account,
    cursor: str,
    rows: list[dict[str, Any]],
    most: int,
    asking: tuple[KeyRecord, World, str],
) -> None:
    """Adds what one account has, until there are `most`."""
    key, world, request_id = asking
    async for told in pages(at, cursor, request_id, whole=False):
        batch = ours(told, at, key, world)
        if batch is not None:
            rows.append(shown_to(told, batch, key, world))
            if len(rows) >= most:
                return


def ours(told: dict[str, Any], at: Account, key: KeyRecord, world: World) -> Sealed | None:
    """Which batch of this account it is to this key; None where it is none of its own, or another
    account's, as two credentials may show the same."""
    metadata = told.get("metadata")
    owner = metadata.get(OWNER) if isinstance(metadata, dict) else None
    if not isinstance(owner, str):
        return None
    found = opened(owner, key, world.keys.digests)
    if found is None or found.kind != "owner" or not key.may_use(found.route):
        return None
    place = world.obeyed().batches.get(found.place)
    if place is not None and account(*place).name != at.name:
        return None
    return replace(found, kind="batch", own=own_id(told))


def _accounts(key: KeyRecord, plan: PreparedPlan) -> Iterator[Account]:
    """Each account once, however many targets are in it."""
    seen: set[tuple[str, str, str]] = set()
    routes = [name for name in plan.routes if key.may_use(name)]
    for target in with_files(plan, routes):
        for replica in target.replicas:
            found = account(target, replica)
            if found.name not in seen:
                seen.add(found.name)
                yield found


def _query(query: bytes) -> tuple[int, str | None]:
    limit, after = 20, None
    for pair in query.decode("latin-1").split("&") if query else ():
        name, _, value = pair.partition("=")
        if name == "limit" and _LIMIT.fullmatch(value):
            limit = int(value)
        elif name == "after" and _AFTER.fullmatch(value):
            after = value
        else:
            message = "a list of batches takes `limit` (1 to 100) and `after` (a batch's id)"
            raise Refusal("invalid_parameter", message, param="query")
    return limit, after
