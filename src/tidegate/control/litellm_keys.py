"""`/key/...` as LiteLLM has it: its names for our keys. A model is a route, a token an id."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace
from sqlalchemy import Engine

from tidegate.control.api_keys import (
    author,
    change_key,
    check_lead,
    check_routes,
    find_key,
    new_record,
    revoke_key,
    routes_granted,
    store_new,
)
from tidegate.control.errors import ApiError
from tidegate.control.key_limits import check_countable
from tidegate.control.litellm_fields import (
    Fields,
    LimitFields,
    RaiseFields,
    expiry,
    iso,
    limits_of,
    limits_shown,
    raise_shown,
    raised,
    take,
    usd,
)
from tidegate.control.routes import Call, Row
from tidegate.control.shapes import Name, NewKey, PageNumber, PageSize, RouteName, Text
from tidegate.core import clock
from tidegate.core import key as core_key
from tidegate.core.declared_keys import EVERY_ROUTE
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.periods import period_at
from tidegate.stores import budget_use, database, keys, teams
from tidegate.stores.budget_use import Span
from tidegate.stores.keys import KeyFilter


class KeyFields(RaiseFields):
    """What is asked for in a key, or changed of one."""

    key: str | UnsetType | None = UNSET
    key_alias: Name | UnsetType | None = UNSET
    duration: str | UnsetType | None = UNSET
    models: list[RouteName] | UnsetType | None = UNSET
    team_id: Name | UnsetType | None = UNSET
    metadata: dict[Name, Text] | UnsetType | None = UNSET


class KeyAsked(Struct, forbid_unknown_fields=True):
    """The key, or its id, which is called `token`."""

    key: str


class KeysAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which keys to list. `size` of them on each `page`, from 1."""

    page: PageNumber = 1
    size: PageSize = 10
    team_id: Name | None = None
    key_alias: Name | None = None
    return_full_object: bool = False


class KeysEnded(Struct, forbid_unknown_fields=True):
    """Keys, or their ids."""

    keys: list[str]


async def _generate(call: Call) -> dict[str, Any]:
    asked, ignored = take(call.body, KeyFields)
    if asked.key is not UNSET and asked.key is not None:
        raise ApiError("invalid_request", "key: keys are drawn here, not chosen.", param="key")
    _own_team(call, asked.team_id)
    wanted = NewKey(
        name=asked.key_alias or "unnamed",
        team=asked.team_id or None,
        routes=_routes(asked.models),
        attributes=asked.metadata or {},
        expires_at_s=expiry(asked.duration),
    )
    limits = raised(limits_of(asked), asked, clock.wall_s())
    record, secret = await new_record(call, wanted, None if limits == KeyLimits() else limits)
    waiting_for = await store_new(call, record)
    return {"key": secret, **_shown(record), "ignored": ignored, "waiting_for": waiting_for}


async def _info(call: Call) -> dict[str, Any]:
    record = await find_key(call, key_id(call.query.key))
    spend = await call.desk.store(_spend, record, clock.wall_s())
    return {"key": record.id, "info": {**_shown(record), "spend": usd(spend)}}


async def _update(call: Call) -> dict[str, Any]:
    asked, ignored = take(call.body, KeyFields)
    if not isinstance(asked.key, str):
        raise ApiError("invalid_request", "key is missing.", param="key")
    _own_team(call, asked.team_id)
    record = await find_key(call, key_id(asked.key))
    ends_s = expiry(asked.duration)

    def change(old: KeyRecord) -> KeyRecord:
        """Within the store's transaction: of two changes at once neither undoes the other."""
        check_lead(call, old)
        return _changed(call, asked, old, old.expires_at_s if ends_s is UNSET else ends_s)

    seq = await change_key(call, keys.edit, record.id, change, author(call))
    waiting_for = await call.desk.obeyed(seq)
    changed = await find_key(call, record.id)
    return {**_shown(changed), "ignored": ignored, "waiting_for": waiting_for}


def _changed(call: Call, asked: KeyFields, old: KeyRecord, expires_at_s: float | None) -> KeyRecord:
    """The key with what is asked for. ApiError when its team may not have that."""
    team_id = asked.team_id if isinstance(asked.team_id, str) else old.team
    team = call.team or teams.find(call.desk.engine, team_id)
    routes = old.routes if asked.models is UNSET else _routes(asked.models) or (EVERY_ROUTE,)
    routes = routes_granted(routes, routes, team)
    check_routes(routes, call.desk)
    limits = raised(limits_of(asked, old.limits), asked, clock.wall_s())
    own = None if limits == KeyLimits() else limits
    check_countable(own, call.desk.plans.declared)
    return replace(
        old,
        team=team_id,
        routes=routes,
        limits=own,
        name=asked.key_alias if isinstance(asked.key_alias, str) else old.name,
        attributes=old.attributes if asked.metadata is UNSET else asked.metadata or {},
        expires_at_s=expires_at_s,
    )


async def _delete(call: Call) -> dict[str, Any]:
    ids = [key_id(one) for one in call.body.keys]
    for one in ids:
        await find_key(call, one)  # all or none
    waiting = {name for one in ids for name in (await revoke_key(call, one)).waiting_for}
    return {"deleted_keys": ids, "waiting_for": sorted(waiting)}


async def _list(call: Call) -> dict[str, Any]:
    asked: KeysAsked = call.query
    team = asked.team_id if call.team is None else call.team.id
    which = KeyFilter(name_prefix=asked.key_alias, team=team, include_revoked=False)
    found, total = await call.desk.store(_page, which, asked.page, asked.size)
    return {
        "keys": [_shown(one) if asked.return_full_object else one.id for one in found],
        "total_count": total,
        "current_page": asked.page,
        "total_pages": -(-total // asked.size),
    }


_LIMITS = frozenset(LimitFields.__struct_fields__)
_MAY_SET = _LIMITS | {"key_alias", "duration", "models", "team_id"}

ROWS = (
    Row("POST", "/key/generate", "operator", _generate, body=Fields, lead=_MAY_SET),
    Row("GET", "/key/info", "viewer", _info, query=KeyAsked, lead=frozenset({"key"})),
    Row("POST", "/key/update", "operator", _update, body=Fields, lead=_MAY_SET | {"key"}),
    Row("POST", "/key/delete", "operator", _delete, body=KeysEnded, lead=frozenset({"keys"})),
    Row(
        *("GET", "/key/list", "viewer", _list),
        query=KeysAsked,
        lead=frozenset({"page", "size", "key_alias", "return_full_object"}),
    ),
)


def key_id(key: str) -> str:
    """The id of a key that is given whole or by its id."""
    return core_key.id_of(key.encode()) or key


def _routes(models: list[str] | UnsetType | None) -> tuple[str, ...] | None:
    """LiteLLM's empty list, and its `all-...-models`, stand for what is granted anyway."""
    if models is UNSET or not models or models in (["all-team-models"], ["all-proxy-models"]):
        return None
    return tuple(models)


def _own_team(call: Call, team_id: str | UnsetType | None) -> None:
    if call.team is not None and isinstance(team_id, str) and team_id != call.team.id:
        message = "A team's lead serves that team alone."
        raise ApiError("role_too_low", message, param="team_id")


def _shown(record: KeyRecord) -> dict[str, Any]:
    every = record.routes == (EVERY_ROUTE,)
    return {
        "token": record.id,
        "key_alias": record.name,
        "team_id": record.team,
        "models": [] if every else list(record.routes),
        "metadata": record.attributes,
        "expires": iso(record.expires_at_s),
        "created_at": iso(record.created_at_s),
        "blocked": record.revoked_at_s is not None,
        **limits_shown(record.limits),
        **raise_shown(record.limits, clock.wall_s()),
    }


def _spend(engine: Engine, record: KeyRecord, now_s: float) -> int:
    """Of the period of its budget; without one, of all that is summed up."""
    limits = record.limits or KeyLimits()
    since_s = 0.0
    if limits.budget_unit is not None:
        since_s = period_at(limits.budget_unit, "UTC", now_s).start_s
    elif limits.budget_s is not None:
        since_s = now_s - limits.budget_s
    with database.reading(engine) as connection:
        only = (("key", record.id),)
        (one,) = budget_use.used(connection, (), only, Span(since_s, now_s))
    return one.nanousd


def _page(engine: Engine, which: KeyFilter, page: int, size: int) -> tuple[list[KeyRecord], int]:
    found = keys.find(engine, which, limit=page * size)
    return found[(page - 1) * size :], keys.count(engine, which)
