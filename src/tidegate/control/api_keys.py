"""Keys: make, list, look at, revoke, rotate; and the pepper under which new ones are digested."""

import asyncio
from collections.abc import Callable

from msgspec import UNSET

from tidegate.control.credentials import create_pepper
from tidegate.control.desk import Desk
from tidegate.control.errors import ApiError
from tidegate.control.key_limits import check_countable, limits_asked
from tidegate.control.routes import NO_FIELDS, Call, Row
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
from tidegate.core.key_limits import KeyLimits
from tidegate.stores import audit, keys, teams
from tidegate.stores.audit import Author
from tidegate.stores.errors import StoreError
from tidegate.stores.keys import KeyExists, KeyFilter, KeyNotFound
from tidegate.stores.peppers import pepper_file, read_peppers
from tidegate.stores.teams import TeamRecord


async def _create(call: Call) -> KeyMade:
    asked = call.body
    record, secret = await new_record(call, asked, limits_asked(asked.limits))
    waiting_for = await store_new(call, record)
    return KeyMade(secret, KeyView.of(record, record.created_at_s), None, waiting_for)


async def new_record(call: Call, asked: NewKey, limits: KeyLimits | None) -> tuple[KeyRecord, str]:
    """A key with what is asked for and the plan's defaults, and its secret; not stored yet.

    ApiError when its team, or who asks, may not grant that.
    """
    desk, now_s = call.desk, clock.wall_s()
    defaults = desk.plans.declared.keys
    team_id = call.team.id if call.team is not None else asked.team or defaults.team
    team = call.team or await desk.store(teams.find, team_id)
    routes = routes_granted(asked.routes, defaults.routes, team)
    check_routes(routes, desk)
    check_countable(limits, desk.plans.declared)
    key_id, secret = core_key.generate()
    digest, pepper_version = desk.digest(secret)
    record = KeyRecord(
        id=key_id,
        digest=digest,
        pepper_version=pepper_version,
        name=asked.name,
        team=team_id,
        created_at_s=now_s,
        routes=routes,
        customer=asked.customer,
        environment=asked.environment or defaults.environment,
        purpose=asked.purpose,
        priority=asked.priority,
        attributes={**defaults.attributes, **asked.attributes},
        expires_at_s=_expiry(asked, defaults.expires_after_s, now_s),
        limits=limits,
    )
    return record, secret


async def store_new(call: Call, record: KeyRecord) -> list[str]:
    """Store a new key; the gateways that do not know it yet."""
    seq = await change_key(call, keys.create, record, author(call))
    return await call.desk.obeyed(seq)


async def _list(call: Call) -> KeyList:
    asked = call.query
    team = asked.team if call.team is None else call.team.id
    which = KeyFilter(name_prefix=asked.name_prefix, team=team, include_revoked=asked.revoked)
    found = await call.desk.store(keys.find, which, limit=asked.limit, after_id=asked.after)
    now_s = clock.wall_s()
    after = found[-1].id if len(found) == asked.limit else None
    return KeyList([KeyView.of(record, now_s) for record in found], after)


async def _show(call: Call) -> KeyView:
    return KeyView.of(await find_key(call, call.path["id"]), clock.wall_s())


async def _revoke(call: Call) -> KeyRevoked:
    return await revoke_key(call, call.path["id"])


async def revoke_key(call: Call, key_id: str) -> KeyRevoked:
    """End a key of the caller's. ApiError when there is none."""
    await find_key(call, key_id)
    seq = await change_key(call, keys.revoke, key_id, author(call))
    waiting_for = await call.desk.obeyed(seq)
    return KeyRevoked(KeyView.of(await find_key(call, key_id), clock.wall_s()), waiting_for)


async def _rotate(call: Call) -> KeyMade:
    desk, now_s = call.desk, clock.wall_s()
    old_id = (await find_key(call, call.path["id"])).id
    key_id, secret = core_key.generate()
    digest = desk.digest(secret)

    def succeed(old: KeyRecord) -> KeyRecord:
        """Within the store's transaction: its grants are those of the old key then."""
        check_lead(call, old)
        if old.expires_at_s is not None and old.expires_at_s <= now_s:
            raise ApiError("invalid_request", f"Key {old.id} has expired: make a new one.")
        return keys.successor(old, key_id, *digest, now_s)

    overlap_s = call.body.overlap_s
    seq = await change_key(call, keys.rotate, old_id, succeed, author(call), overlap_s=overlap_s)
    fresh = await find_key(call, key_id)
    return KeyMade(secret, KeyView.of(fresh, now_s), old_id, await desk.obeyed(seq))


async def _new_pepper(call: Call) -> PepperMade:
    desk = call.desk
    try:
        version = await asyncio.to_thread(create_pepper, desk.layout)
        desk.peppers = await asyncio.to_thread(read_peppers, desk.layout.state)
    except OSError as error:
        raise ApiError("internal", f"The pepper cannot be written: {error}.") from error
    await desk.store(audit.note, author(call), "pepper.create", str(version))
    return PepperMade(version, str(pepper_file(desk.layout.state, version)))


_MAY_SET = frozenset({"name", "routes", "expires_at_s", "limits"})
_MAY_ASK = frozenset({"name_prefix", "revoked", "after", "limit"})
_MAY_SAY = frozenset({"overlap_s"})

ROWS = (
    Row("POST", "/api/keys", "operator", _create, body=NewKey, status=201, lead=_MAY_SET),
    Row("GET", "/api/keys", "viewer", _list, query=KeyQuery, lead=_MAY_ASK),
    Row("GET", "/api/keys/{id}", "viewer", _show, lead=NO_FIELDS),
    Row("POST", "/api/keys/{id}/revoke", "operator", _revoke, lead=NO_FIELDS),
    Row(
        *("POST", "/api/keys/{id}/rotate", "operator", _rotate),
        body=Rotation,
        status=201,
        lead=_MAY_SAY,
    ),
    Row("POST", "/api/peppers", "admin", _new_pepper, status=201),
)


async def find_key(call: Call, key_id: str) -> KeyRecord:
    """A key that the caller may see. ApiError for none, and for a lead for another team's."""
    found = await call.desk.store(keys.get, key_id)
    if found is None or not _is_seen(call, found):
        raise _missing(key_id)
    return found


async def change_key(
    call: Call, change: Callable[..., int], *arguments: object, **named: object
) -> int:
    """The feed number of a change of keys. ApiError when there is no such key."""
    try:
        return await asyncio.to_thread(change, call.desk.engine, *arguments, **named)
    except KeyNotFound as error:
        raise ApiError("not_found", "There is no such live key.") from error
    except KeyExists as error:
        raise ApiError("internal", "The new key's id was taken: try again.") from error
    except StoreError as error:
        raise ApiError("store_unavailable", f"The database cannot be used: {error}") from error


def author(call: Call) -> Author:
    """Who makes a change now."""
    return Author(call.operator.name if call.operator else "nobody", clock.wall_s())


def routes_granted(
    asked: tuple[str, ...] | None, default: tuple[str, ...], team: TeamRecord | None
) -> tuple[str, ...]:
    """The routes of a key of this team. ApiError when they go beyond the team's."""
    if asked is None:
        narrower = team is not None and not team.may_grant(default)
        return team.routes if team is not None and narrower else default
    routes = tuple(dict.fromkeys(asked))
    if team is not None and not team.may_grant(routes):
        has = ", ".join(team.routes) or "none"
        message = f"Team {team.id} may call {has}; a key of it may not call more."
        raise ApiError("grant_too_wide", message, param="routes")
    return routes


def check_lead(call: Call, record: KeyRecord) -> None:
    """Nobody gets the secret of a key that goes beyond what he may grant himself, or of another
    team's."""
    if call.team is None:
        return
    if not _is_seen(call, record):
        raise _missing(record.id)
    defaults = call.desk.plans.declared.keys
    plain = (
        call.team.may_grant(record.routes)
        and record.purpose == "production"
        and record.priority != "interactive"
        and record.environment == defaults.environment
        and record.attributes == defaults.attributes
    )
    if not plain:
        message = f"Key {record.id} has grants that a team's lead cannot give; ask an operator."
        raise ApiError("grant_too_wide", message)


def _is_seen(call: Call, record: KeyRecord) -> bool:
    return call.team is None or record.team == call.team.id


def _missing(key_id: str) -> ApiError:
    return ApiError("not_found", f"There is no such live key: {key_id[:40]!r}.")


def _expiry(asked: NewKey, after_s: float | None, now_s: float) -> float | None:
    if asked.expires_at_s is UNSET:
        return None if after_s is None else now_s + after_s
    if asked.expires_at_s is not None and asked.expires_at_s <= now_s:
        raise ApiError("invalid_request", "expires_at_s lies in the past.", param="expires_at_s")
    return asked.expires_at_s


def check_routes(routes: tuple[str, ...], desk: Desk) -> None:
    known = desk.plans.current.routes
    unknown = [route for route in routes if route != EVERY_ROUTE and route not in known]
    if unknown:
        raise ApiError(
            "invalid_request",
            f"The plan has no route {unknown[0]!r}; it has: {', '.join(sorted(known)[:20])}.",
            param="routes",
        )
