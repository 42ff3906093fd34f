"""Keys: make, list, look at, revoke, rotate; and the pepper under which new ones are digested."""

import asyncio
from collections.abc import Callable

from msgspec import UNSET

from tidegate.control.credentials import create_pepper
from tidegate.control.desk import Desk
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes import (
    KeyList,
    KeyMade,
    KeyQuery,
    KeyRevoked,
    KeyView,
    NewKey,
    PepperMade,
    Rotation,
)
from tidegate.core import clock
from tidegate.core import key as core_key
from tidegate.core.declared_keys import EVERY_ROUTE
from tidegate.core.key import KeyRecord
from tidegate.stores import audit, keys
from tidegate.stores.audit import Author
from tidegate.stores.errors import StoreError
from tidegate.stores.keys import KeyExists, KeyFilter, KeyNotFound
from tidegate.stores.peppers import pepper_file, read_peppers


async def _create(call: Call) -> KeyMade:
    desk, asked = call.desk, call.body
    now_s = clock.wall_s()
    defaults = desk.plans.declared.keys
    routes = defaults.routes if asked.routes is None else tuple(dict.fromkeys(asked.routes))
    _check(routes, desk)
    key_id, secret = core_key.generate()
    digest, pepper_version = desk.digest(secret)
    record = KeyRecord(
        id=key_id,
        digest=digest,
        pepper_version=pepper_version,
        name=asked.name,
        team=asked.team or defaults.team,
        created_at_s=now_s,
        routes=routes,
        customer=asked.customer,
        environment=asked.environment or defaults.environment,
        purpose=asked.purpose,
        priority=asked.priority,
        attributes={**defaults.attributes, **asked.attributes},
        expires_at_s=_expiry(asked, defaults.expires_after_s, now_s),
    )
    seq = await _change(call, keys.create, record, _author(call, now_s))
    return KeyMade(secret, KeyView.of(record, now_s), None, await desk.obeyed(seq))


async def _list(call: Call) -> KeyList:
    asked = call.query
    which = KeyFilter(name_prefix=asked.name_prefix, team=asked.team, include_revoked=asked.revoked)
    found = await call.desk.store(keys.find, which, limit=asked.limit, after_id=asked.after)
    now_s = clock.wall_s()
    after = found[-1].id if len(found) == asked.limit else None
    return KeyList([KeyView.of(record, now_s) for record in found], after)


async def _show(call: Call) -> KeyView:
    return KeyView.of(await _record(call), clock.wall_s())


async def _revoke(call: Call) -> KeyRevoked:
    now_s = clock.wall_s()
    seq = await _change(call, keys.revoke, call.path["id"], _author(call, now_s))
    waiting_for = await call.desk.obeyed(seq)
    return KeyRevoked(KeyView.of(await _record(call), now_s), waiting_for)


async def _rotate(call: Call) -> KeyMade:
    desk, now_s = call.desk, clock.wall_s()
    old = await _record(call)
    if old.expires_at_s is not None and old.expires_at_s <= now_s:
        raise ApiError("invalid_request", f"Key {old.id} has expired: make a new one.")
    key_id, secret = core_key.generate()
    fresh = keys.succeed(old, key_id, *desk.digest(secret), now_s)
    author, overlap_s = _author(call, now_s), call.body.overlap_s
    seq = await _change(call, keys.rotate, old.id, fresh, author, overlap_s=overlap_s)
    return KeyMade(secret, KeyView.of(fresh, now_s), old.id, await desk.obeyed(seq))


async def _new_pepper(call: Call) -> PepperMade:
    desk, author = call.desk, _author(call, clock.wall_s())
    try:
        version = await asyncio.to_thread(create_pepper, desk.layout)
        desk.peppers = await asyncio.to_thread(read_peppers, desk.layout.state)
    except OSError as error:
        raise ApiError("internal", f"The pepper cannot be written: {error}.") from error
    await desk.store(audit.note, author, "pepper.create", str(version))
    return PepperMade(version, str(pepper_file(desk.layout.state, version)))


ROWS = (
    Row("POST", "/api/keys", "operator", _create, body=NewKey, status=201),
    Row("GET", "/api/keys", "viewer", _list, query=KeyQuery),
    Row("GET", "/api/keys/{id}", "viewer", _show),
    Row("POST", "/api/keys/{id}/revoke", "operator", _revoke),
    Row("POST", "/api/keys/{id}/rotate", "operator", _rotate, body=Rotation, status=201),
    Row("POST", "/api/peppers", "admin", _new_pepper, status=201),
)


async def _record(call: Call) -> KeyRecord:
    found = await call.desk.store(keys.get, call.path["id"])
    if found is None:
        raise _missing(call)
    return found


async def _change(
    call: Call, change: Callable[..., int], *arguments: object, **named: object
) -> int:
    """The feed number of a change of keys. ApiError when there is no such key."""
    try:
        return await asyncio.to_thread(change, call.desk.engine, *arguments, **named)
    except KeyNotFound as error:
        raise _missing(call) from error
    except KeyExists as error:
        raise ApiError("internal", "The new key's id was taken: try again.") from error
    except StoreError as error:
        raise ApiError("store_unavailable", f"The database cannot be used: {error}") from error


def _missing(call: Call) -> ApiError:
    return ApiError("not_found", f"There is no such live key: {call.path['id'][:40]!r}.")


def _author(call: Call, at_s: float) -> Author:
    return Author(call.operator.name if call.operator else "nobody", at_s)


def _expiry(asked: NewKey, after_s: float | None, now_s: float) -> float | None:
    if asked.expires_at_s is UNSET:
        return None if after_s is None else now_s + after_s
    if asked.expires_at_s is not None and asked.expires_at_s <= now_s:
        raise ApiError("invalid_request", "expires_at_s lies in the past.", param="expires_at_s")
    return asked.expires_at_s


def _check(routes: tuple[str, ...], desk: Desk) -> None:
    known = desk.plans.current.routes
    unknown = [route for route in routes if route != EVERY_ROUTE and route not in known]
    if unknown:
        raise ApiError(
            "invalid_request",
            f"The plan has no route {unknown[0]!r}; it has: {', '.join(sorted(known)[:20])}.",
            param="routes",
        )
