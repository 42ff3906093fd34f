"""`/team/...` as LiteLLM has it, and a team's lead. A team's id is what keys and receipts carry;
its budget is the budget `team.ID`."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tidegate.control.api_budgets import stored_budget
from tidegate.control.api_keys import author, check_routes
from tidegate.control.compiling import TEAM
from tidegate.control.errors import ApiError
from tidegate.control.leads import new_token
from tidegate.control.litellm_fields import (
    Fields,
    LimitFields,
    iso,
    limits_of,
    limits_shown,
    take,
    usd,
)
from tidegate.control.routes import NO_FIELDS, Call, Row
from tidegate.control.shapes import Name, RouteName
from tidegate.core import clock
from tidegate.core.declared_budgets import DeclaredBudget, Period
from tidegate.core.declared_keys import EVERY_ROUTE
from tidegate.core.key_limits import KeyLimits
from tidegate.core.units import NANOUSD_PER_USD
from tidegate.stores import budget_use, budgets, database, keys, teams
from tidegate.stores.audit import Author
from tidegate.stores.budget_use import Span
from tidegate.stores.keys import KeyFilter
from tidegate.stores.teams import TeamExists, TeamNotFound, TeamRecord

TeamId = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
_MOST_KEYS = 1000
T = TypeVar("T")


class TeamFields(LimitFields):
    """What is asked for in a team, or changed of one. Without `team_id` it is the alias."""

    team_id: TeamId | UnsetType | None = UNSET
    team_alias: Name | UnsetType | None = UNSET
    models: list[RouteName] | UnsetType | None = UNSET


class TeamAsked(Struct, forbid_unknown_fields=True):
    """Which team."""

    team_id: Name


class TeamsEnded(Struct, forbid_unknown_fields=True):
    """Which teams."""

    team_ids: list[Name]


class NewLead(Struct, forbid_unknown_fields=True):
    """Who leads the team from now on; null is nobody. A token that was given before ends."""

    lead: Name | None


async def _new(call: Call) -> dict[str, Any]:
    asked, ignored = take(call.body, TeamFields)
    team_id = asked.team_id or asked.team_alias
    if not isinstance(team_id, str):
        raise ApiError("invalid_request", "team_id or team_alias is missing.", param="team_id")
    take({"team_id": Raw(msgspec.json.encode(team_id))}, TeamFields)  # an alias may be unfit
    blank = TeamRecord(team_id, team_id, (EVERY_ROUTE,), clock.wall_s())
    team, limits = _asked(call, asked, blank, KeyLimits())
    by = author(call)

    def make(connection: Connection) -> None:
        teams.add(connection, team, by)
        _store_budget(connection, team.id, KeyLimits(), limits, by)

    _, waiting_for = await _amend(call, make)
    return {**_shown(team, limits), "ignored": ignored, "waiting_for": waiting_for}


async def _update(call: Call) -> dict[str, Any]:
    asked, ignored = take(call.body, TeamFields)
    if not isinstance(asked.team_id, str):
        raise ApiError("invalid_request", "team_id is missing.", param="team_id")
    team_id, by = asked.team_id, author(call)

    def change(connection: Connection) -> tuple[TeamRecord, KeyLimits]:
        old, before = _get(connection, team_id)
        team, limits = _asked(call, asked, old, before)
        _check_keys(call.desk.engine, team)
        teams.change(connection, team, by, "team.edit")
        _store_budget(connection, team.id, before, limits, by)
        return team, limits

    (team, limits), waiting_for = await _amend(call, change)
    return {**_shown(team, limits), "ignored": ignored, "waiting_for": waiting_for}


async def _info(call: Call) -> dict[str, Any]:
    team_id = call.query.team_id
    if call.team is not None and team_id != call.team.id:
        raise _missing(team_id)
    return await call.desk.store(_told, team_id)


async def _list(call: Call) -> list[dict[str, Any]]:
    if call.team is not None:
        return [_shown(*await call.desk.store(_found, call.team.id))]
    return await call.desk.store(_every)


async def _delete(call: Call) -> dict[str, Any]:
    by, ids = author(call), call.body.team_ids

    def end(connection: Connection) -> list[str]:
        revoked = []
        for team_id in ids:
            _, before = _get(connection, team_id)
            teams.remove(connection, team_id, by)
            _store_budget(connection, team_id, before, KeyLimits(), by)
            revoked += keys.revoke_all(connection, team_id, by)
        return revoked

    try:
        revoked, waiting_for = await call.desk.amend(end)
    except TeamNotFound as error:
        raise ApiError("not_found", f"Nothing is deleted: {error}.") from error
    return {"deleted_teams": ids, "revoked_keys": revoked, "waiting_for": waiting_for}


async def _lead(call: Call) -> dict[str, Any]:
    team_id, lead, by = call.path["id"], call.body.lead, author(call)
    token = None if lead is None else new_token()
    digest = None if token is None else call.desk.digest(token)[0]
    verb = "team.unlead" if token is None else "team.lead"

    def change(connection: Connection) -> None:
        team, _ = _get(connection, team_id)
        teams.change(connection, replace(team, lead=lead, lead_digest=digest), by, verb)

    await call.desk.store(_write, change)
    return {"team_id": team_id, "lead": lead, "token": token}


ROWS = (
    Row("POST", "/team/new", "operator", _new, body=Fields),
    Row("POST", "/team/update", "operator", _update, body=Fields),
    Row("GET", "/team/info", "viewer", _info, query=TeamAsked, lead=frozenset({"team_id"})),
    Row("GET", "/team/list", "viewer", _list, lead=NO_FIELDS),
    Row("POST", "/team/delete", "operator", _delete, body=TeamsEnded),
    Row("POST", "/api/teams/{id}/lead", "operator", _lead, body=NewLead, status=201),
)


async def _amend(call: Call, change: Callable[[Connection], T]) -> tuple[T, list[str]]:
    try:
        return await call.desk.amend(change)
    except TeamExists as error:
        raise ApiError("taken", f"The {error}: update it.", param="team_id") from error
    except TeamNotFound as error:
        raise ApiError("not_found", f"Nothing is changed: {error}.") from error


def _asked(
    call: Call, asked: TeamFields, old: TeamRecord, before: KeyLimits
) -> tuple[TeamRecord, KeyLimits]:
    """The team with what is asked for, and its limits."""
    limits = limits_of(asked, before)
    routes = old.routes
    if asked.models is not UNSET:
        routes = tuple(dict.fromkeys(asked.models or ())) or (EVERY_ROUTE,)
        if routes == ("all-proxy-models",):
            routes = (EVERY_ROUTE,)
        check_routes(routes, call.desk)
    team = replace(
        old,
        alias=asked.team_alias if isinstance(asked.team_alias, str) else old.alias,
        routes=routes,
        requests_per_minute=limits.requests_per_minute,
        tokens_per_minute=limits.tokens_per_minute,
        max_parallel_requests=limits.max_parallel_requests,
    )
    return team, limits


def _store_budget(
    connection: Connection, team_id: str, before: KeyLimits, limits: KeyLimits, by: Author
) -> None:
    """The team's budget, as one that is explained and raised like any other."""
    name = f"{TEAM}{team_id}"
    if limits.budget_nanousd is None:
        if before.budget_nanousd is not None:
            budgets.end(connection, name, by)
        return
    same = (before.budget_nanousd, before.budget_unit, before.budget_s)
    if same == (limits.budget_nanousd, limits.budget_unit, limits.budget_s):
        return
    declared = DeclaredBudget(
        Decimal(limits.budget_nanousd) / NANOUSD_PER_USD,
        Period(limits.budget_unit, limits.budget_s),
        scope="team",
        only={"team": team_id},
    )
    budgets.put(connection, stored_budget(name, declared, by))


def _get(connection: Connection, team_id: str) -> tuple[TeamRecord, KeyLimits]:
    """A team with its limits. ApiError when there is none."""
    team = teams.get(connection, team_id)
    if team is None:
        raise _missing(team_id)
    of = {one.name: one for one in budgets.every(connection)}
    budget = of.get(f"{TEAM}{team_id}")
    limits = KeyLimits(
        requests_per_minute=team.requests_per_minute,
        tokens_per_minute=team.tokens_per_minute,
        max_parallel_requests=team.max_parallel_requests,
    )
    if budget is not None:
        limits = replace(
            limits,
            budget_nanousd=budget.amount_nanousd,
            budget_unit=budget.unit,
            budget_s=budget.rolling_s,
        )
    return team, limits


def _found(engine: Engine, team_id: str) -> tuple[TeamRecord, KeyLimits]:
    with database.reading(engine) as connection:
        return _get(connection, team_id)


def _every(engine: Engine) -> list[dict[str, Any]]:
    with database.reading(engine) as connection:
        return [_shown(*_get(connection, team.id)) for team in teams.every(connection)]


def _told(engine: Engine, team_id: str) -> dict[str, Any]:
    team, limits = _found(engine, team_id)
    now_s = clock.wall_s()
    with database.reading(engine) as connection:
        span = Span(0.0, now_s)
        (spent,) = budget_use.used(connection, (), (("team", team_id),), span)
    of = KeyFilter(team=team_id, include_revoked=False)
    found = keys.find(engine, of, limit=_MOST_KEYS)
    return {
        "team_id": team_id,
        "team_info": {**_shown(team, limits), "spend": usd(spent.nanousd)},
        "keys": [{"token": one.id, "key_alias": one.name} for one in found],
    }


def _check_keys(engine: Engine, team: TeamRecord) -> None:
    """A team's grants are not cut below what its keys have: they would keep more than it."""
    found = keys.find(engine, KeyFilter(team=team.id, include_revoked=False), limit=100_000)
    beyond = [key.id for key in found if not team.may_grant(key.routes)]
    if beyond:
        message = (
            f"{len(beyond)} keys of team {team.id} may call more than that, first {beyond[0]}: "
            "update or delete them first."
        )
        raise ApiError("grant_too_wide", message, param="models")


def _write(engine: Engine, change: Callable[[Connection], None]) -> None:
    with database.writing(engine) as connection:
        change(connection)


def _shown(team: TeamRecord, limits: KeyLimits) -> dict[str, Any]:
    return {
        "team_id": team.id,
        "team_alias": team.alias,
        "models": [] if team.routes == (EVERY_ROUTE,) else list(team.routes),
        "lead": team.lead,
        "created_at": iso(team.created_at_s),
        **limits_shown(limits),
    }


def _missing(team_id: str) -> ApiError:
    return ApiError("not_found", f"There is no team {team_id[:64]!r}.")
