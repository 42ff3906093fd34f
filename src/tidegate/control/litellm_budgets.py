"""`/budget/...` as LiteLLM has it, as far as it maps honestly.

LiteLLM's budgets wait to be assigned; ours hold from the moment they are made, so they must say
for whom: by `only`, or `scope`. For a key or a team `max_budget` is written there.
"""

from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace
from sqlalchemy import Engine

from tidegate.control.api_budgets import budget_asked, end_budget, set_budget
from tidegate.control.api_keys import author
from tidegate.control.compiling import TEAM
from tidegate.control.errors import ApiError
from tidegate.control.litellm_fields import Fields, budget_period, iso, period_shown, take, usd
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_budgets import BudgetName, NewBudget
from tidegate.stores import budgets, database
from tidegate.stores.budgets import StoredBudget


class BudgetFields(Struct):
    """What is asked for in a budget. `scope` and `only` are ours."""

    budget_id: BudgetName | None = None
    max_budget: Decimal | None = None
    soft_budget: Decimal | None = None
    budget_duration: str | UnsetType | None = UNSET
    scope: str | list[str] | None = None
    only: dict[str, str] | None = None


class BudgetsAsked(Struct, forbid_unknown_fields=True):
    """Which budgets, by their ids."""

    budgets: list[str]


class BudgetEnded(Struct, forbid_unknown_fields=True):
    """Which budget."""

    id: str


async def _new(call: Call) -> dict[str, Any]:
    asked, ignored = take(call.body, BudgetFields)
    return await _store(call, asked, ignored, None)


async def _update(call: Call) -> dict[str, Any]:
    asked, ignored = take(call.body, BudgetFields)
    name = _named(asked)
    old = await _stored(call, name)
    merged = replace(
        asked,
        scope=list(old.scope) if asked.scope is None else asked.scope,
        only=old.only if asked.only is None else asked.only,
    )
    if asked.max_budget is None and asked.soft_budget is None:
        kind = "max_budget" if old.hard else "soft_budget"
        merged = replace(merged, **{kind: Decimal(old.amount_nanousd).scaleb(-9)})
    if asked.budget_duration is UNSET:
        merged.budget_duration = period_shown(old.unit, old.rolling_s)
    return await _store(call, merged, ignored, old)


async def _info(call: Call) -> list[dict[str, Any]]:
    return [_shown(await _stored(call, name)) for name in call.body.budgets]


async def _list(call: Call) -> list[dict[str, Any]]:
    return [_shown(one) for one in await call.desk.store(_every)]


async def _delete(call: Call) -> dict[str, Any]:
    by, name = author(call), call.body.id
    changed = await end_budget(call, name, lambda store: budgets.end(store, name, by))
    return {"deleted": name, "waiting_for": changed.waiting_for}


ROWS = (
    Row("POST", "/budget/new", "operator", _new, body=Fields),
    Row("POST", "/budget/update", "operator", _update, body=Fields),
    Row("POST", "/budget/info", "viewer", _info, body=BudgetsAsked),
    Row("GET", "/budget/list", "viewer", _list),
    Row("POST", "/budget/delete", "operator", _delete, body=BudgetEnded),
)


async def _store(
    call: Call, asked: BudgetFields, ignored: list[str], old: StoredBudget | None
) -> dict[str, Any]:
    """What LiteLLM has no word for stays as it was in the old budget."""
    name = _named(asked)
    amount = asked.max_budget if asked.max_budget is not None else asked.soft_budget
    if amount is None or (asked.max_budget is not None and asked.soft_budget is not None):
        message = "Say one of max_budget, beyond which is refused, and soft_budget, which alerts."
        raise ApiError("invalid_request", message, param="max_budget")
    if not asked.only and not asked.scope:
        message = (
            "A budget here holds from now on: say for whom with only, such as "
            '{"team": "growth"}, or with scope; for a key or a team write max_budget there.'
        )
        raise ApiError("invalid_request", message, param="only")
    period = budget_period(asked.budget_duration or "lifetime")
    per = period.unit or f"{period.rolling_s:f}s"
    hard = asked.max_budget is not None
    alerts: list[int | str] | None = None if old is None else [*old.alerts]
    zone = None if old is None or period.unit in (None, "lifetime") else old.time_zone
    wanted = NewBudget(name, amount, per, zone, asked.scope or None, asked.only, hard, alerts)
    changed = await set_budget(call, name, budget_asked(wanted))
    shown = _shown(await _stored(call, name))
    return {**shown, "ignored": ignored, "waiting_for": changed.waiting_for}


def _named(asked: BudgetFields) -> str:
    name = asked.budget_id
    if name is None:
        raise ApiError("invalid_request", "budget_id is missing.", param="budget_id")
    if name.startswith(TEAM):
        message = f"A budget {TEAM}ID is a team's: `tidegate team update`, or /team/update."
        raise ApiError("invalid_request", message, param="budget_id")
    return name


async def _stored(call: Call, name: str) -> StoredBudget:
    found = {one.name: one for one in await call.desk.store(_every)}
    if name not in found:
        raise ApiError("not_found", f"There is no budget {name[:64]!r} made at run time.")
    return found[name]


def _every(engine: Engine) -> list[StoredBudget]:
    with database.reading(engine) as connection:
        return budgets.every(connection)


def _shown(budget: StoredBudget) -> dict[str, Any]:
    amount = usd(budget.amount_nanousd)
    return {
        "budget_id": budget.name,
        "max_budget": amount if budget.hard else None,
        "soft_budget": None if budget.hard else amount,
        "budget_duration": period_shown(budget.unit, budget.rolling_s),
        "scope": list(budget.scope),
        "only": budget.only,
        "created_by": budget.author,
        "updated_at": iso(budget.at_s),
    }
