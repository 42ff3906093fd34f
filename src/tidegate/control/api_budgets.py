"""Budgets: how they stand, one explained, set and ended at run time."""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, Engine

from tidegate.config.fragment import read_fragment
from tidegate.control import api_key_budgets, budget_views
from tidegate.control.api_keys import author
from tidegate.control.budget_figures import TEAM as TEAM_DIMENSION
from tidegate.control.budget_figures import BudgetFigures, Standing, budgets_of, is_seen_by
from tidegate.control.compiling import TEAM
from tidegate.control.errors import ApiError
from tidegate.control.routes import NO_FIELDS, Call, Row
from tidegate.control.shapes_budgets import (
    BudgetChanged,
    BudgetExplained,
    BudgetList,
    BudgetQuery,
    BudgetView,
    EndBudget,
    NewBudget,
)
from tidegate.core import clock
from tidegate.core.declared_budgets import DeclaredBudget
from tidegate.core.key_limits import budgeted_key
from tidegate.core.limit import GLOBAL
from tidegate.core.plan import Limit
from tidegate.core.units import usd_to_nanousd
from tidegate.stores import alerts, budgets, database
from tidegate.stores.alerts import Alert
from tidegate.stores.audit import Author
from tidegate.stores.budgets import BudgetNotFound, RaiseNotFound, StoredBudget

_HIGHEST_LISTED = 3
_HIGHEST_EXPLAINED = 100


async def _list(call: Call) -> BudgetList:
    limits, team = _visible(call), _team(call)
    views = await call.desk.store(_views, call.desk.figures, limits, team)
    of_keys, more = await call.desk.store(api_key_budgets.nearest, team, call.query.keys)
    return BudgetList([*views, *of_keys], more)


async def _explain(call: Call) -> BudgetExplained:
    name = call.path["id"]
    if (key_id := budgeted_key(name)) is not None:
        return await api_key_budgets.explain(call, key_id)
    limit = next((one for one in _visible(call) if one.name == name), None)
    if limit is None:
        raise missing(name)
    return await call.desk.store(_explained, call.desk.figures, limit, _team(call))


async def _set(call: Call) -> BudgetChanged:
    asked: NewBudget = call.body
    if asked.name.startswith(TEAM):
        message = f"A budget {TEAM}ID is a team's: `tidegate team update`, or /team/update."
        raise ApiError("invalid_request", message, param="name")
    declared = budget_asked(asked)
    if (key_id := budgeted_key(asked.name)) is not None:
        return await api_key_budgets.set_budget(call, key_id, asked, declared)
    return await set_budget(call, asked.name, declared)


async def set_budget(call: Call, name: str, declared: DeclaredBudget) -> BudgetChanged:
    """Store a budget and have gateways obey it. ApiError when it does not fit the plan."""
    if name in call.desk.plans.declared.budgets:
        message = f"Budget {name} is declared in the plan file: change it there, or raise it."
        raise ApiError("taken", message, param="name")
    stored = stored_budget(name, declared, author(call))
    _, waiting_for = await call.desk.amend(lambda connection: budgets.put(connection, stored))
    return changed(call, name, waiting_for)


async def _end(call: Call) -> BudgetChanged:
    asked: EndBudget = call.body
    name, by = call.path["id"], author(call)
    if (key_id := budgeted_key(name)) is not None:
        return await api_key_budgets.end(call, key_id, asked.raise_id)
    if asked.raise_id is None and name in call.desk.plans.declared.budgets:
        message = f"Budget {name} is declared in the plan file: remove it there."
        raise ApiError("invalid_request", message)
    return await end_budget(call, name, _ending(name, asked.raise_id, by))


async def end_budget(call: Call, name: str, end: Callable[[Connection], None]) -> BudgetChanged:
    """Make an ending in the store and have gateways obey it. ApiError when there is nothing."""
    try:
        _, waiting_for = await call.desk.amend(end)
    except (BudgetNotFound, RaiseNotFound) as error:
        raise ApiError("not_found", f"Nothing is ended: {error}.") from error
    return changed(call, name, waiting_for)


ROWS = (
    Row("GET", "/api/budgets", "viewer", _list, query=BudgetQuery, lead=frozenset({"keys"})),
    Row("GET", "/api/budgets/{id}", "viewer", _explain, lead=NO_FIELDS),
    Row("POST", "/api/budgets", "operator", _set, body=NewBudget, status=201),
    Row("POST", "/api/budgets/{id}/end", "operator", _end, body=EndBudget),
)


def budget_asked(asked: NewBudget) -> DeclaredBudget:
    """Read by the plan file's own rules. ApiError lists everything that is wrong."""
    given = {k: v for k, v in msgspec.structs.asdict(asked).items() if v is not None}
    del given["name"]
    given["amount"] = str(asked.amount)
    value, problems = read_fragment(msgspec.json.encode(given), DeclaredBudget)
    if problems:
        raise ApiError("invalid_request", f"{problems[0]}.", problems=problems)
    found: DeclaredBudget = value
    return found


def stored_budget(name: str, declared: DeclaredBudget, by: Author) -> StoredBudget:
    """The budget as it is stored: what the plan file's grammar leaves open is said."""
    scope = declared.scope
    dimensions = (scope,) if isinstance(scope, str) else scope
    return StoredBudget(
        name=name,
        amount_nanousd=usd_to_nanousd(declared.amount_usd),
        unit=declared.per.unit,
        rolling_s=declared.per.rolling_s,
        time_zone=declared.time_zone,
        scope=() if dimensions == (GLOBAL,) else tuple(dimensions),
        only=dict(declared.only),
        hard=declared.hard,
        degrades=declared.degrade,
        alerts=declared.alerts,
        author=by.actor,
        at_s=by.at_s,
    )


def _ending(name: str, raise_id: int | None, by: Author) -> Callable[[Connection], None]:
    if raise_id is None:
        return lambda connection: budgets.end(connection, name, by)
    return lambda connection: budgets.end_raise(connection, name, raise_id, by)


def changed(
    call: Call, name: str, waiting_for: list[str], raise_id: int | None = None
) -> BudgetChanged:
    """What a change of a budget came to."""
    return BudgetChanged(name, call.desk.plans.current.version, waiting_for, raise_id)


def missing(name: str) -> ApiError:
    """There is no budget of this name, or none for who asks."""
    return ApiError("not_found", f"There is no budget {name[:64]!r}.")


def _team(call: Call) -> str | None:
    return None if call.team is None else call.team.id


def _visible(call: Call) -> list[Limit]:
    team = _team(call)
    found = budgets_of(call.desk.plans.current)
    return [one for one in found if team is None or is_seen_by(one, team)]


def _views(
    engine: Engine, figures: BudgetFigures, limits: list[Limit], team: str | None
) -> list[BudgetView]:
    now_s = clock.wall_s()
    with database.reading(engine) as connection:
        authors = {one.name: one.author for one in budgets.every(connection)}
        views = []
        for one in limits:
            found = figures.standing(connection, one, now_s, most=_HIGHEST_LISTED, team=team)
            newest = [] if team is not None else alerts.recent(connection, one.name, 1)
            views.append(_view(found, authors, newest, _HIGHEST_LISTED))
        return views


def _view(found: Standing, authors: dict[str, str], newest: list[Alert], most: int) -> BudgetView:
    author = authors.get(found.limit.name)
    return budget_views.view(found, author, newest[0] if newest else None, most=most)


def _explained(
    engine: Engine, figures: BudgetFigures, limit: Limit, team: str | None
) -> BudgetExplained:
    now_s = clock.wall_s()
    with database.reading(engine) as connection:
        authors = {one.name: one.author for one in budgets.every(connection)}
        found = figures.standing(connection, limit, now_s, most=_HIGHEST_EXPLAINED, team=team)
        given = [] if team is not None else alerts.recent(connection, limit.name, 50)
        return BudgetExplained(
            budget=_view(found, authors, given, _HIGHEST_EXPLAINED),
            counts=budget_views.counts(found),
            spenders=list(budget_views.spenders(connection, found, team)),
            raises=[
                budget_views.raise_view(one, now_s)
                for one in budgets.raises_of(connection, limit.name)
                if team is None or one.scope.get(TEAM_DIMENSION, team) == team
            ],
            alerts=[budget_views.alert_view(one) for one in given],
        )
