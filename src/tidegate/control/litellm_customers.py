"""`/customer/...` as LiteLLM has it: its customer is who a request names in `user`, our end user.

A customer here is the budget of one: whoever has none needs no record.
"""

import hashlib
import re
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from sqlalchemy import Engine

from tidegate.control.api_budgets import budget_asked, end_budget, set_budget
from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.litellm_fields import Fields, budget_period, iso, period_shown, take, usd
from tidegate.control.routes import Call, Row
from tidegate.control.shapes import Text
from tidegate.control.shapes_budgets import NewBudget
from tidegate.core import clock
from tidegate.stores import budget_use, budgets, database
from tidegate.stores.budget_use import Span
from tidegate.stores.budgets import StoredBudget

CUSTOMER = "customer."
_END_USER = "end_user"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,54}")


class CustomerFields(Struct):
    """What is asked for in a customer, or changed of one."""

    user_id: Text | None = None
    max_budget: Decimal | None = None
    budget_duration: str | UnsetType | None = UNSET


class CustomerAsked(Struct, forbid_unknown_fields=True):
    """Which customer."""

    end_user_id: Text


class CustomersEnded(Struct, forbid_unknown_fields=True):
    """Which customers."""

    user_ids: list[Text]


async def _new(call: Call) -> dict[str, Any]:
    asked, ignored = take(call.body, CustomerFields)
    user_id = _named(asked)
    if await call.desk.store(_find, user_id) is not None:
        message = f"Customer {user_id!r} has a budget: update it."
        raise ApiError("taken", message, param="user_id")
    if asked.max_budget is None:
        message = "max_budget is missing: a customer without one needs no record here."
        raise ApiError("invalid_request", message, param="max_budget")
    return await _store(call, user_id, asked, ignored)


async def _update(call: Call) -> dict[str, Any]:
    asked, ignored = take(call.body, CustomerFields)
    user_id = _named(asked)
    old = await _stored(call, user_id)
    if asked.max_budget is None:
        asked.max_budget = Decimal(old.amount_nanousd).scaleb(-9)
    if asked.budget_duration is UNSET:
        asked.budget_duration = period_shown(old.unit, old.rolling_s)
    return await _store(call, user_id, asked, ignored)


async def _info(call: Call) -> dict[str, Any]:
    user_id = call.query.end_user_id
    budget = await call.desk.store(_find, user_id)
    return _shown(user_id, budget, await call.desk.store(_spend, user_id, clock.wall_s()))


async def _list(call: Call) -> list[dict[str, Any]]:
    found = [one for one in await call.desk.store(_every) if _user_of(one) is not None]
    return [_shown(str(_user_of(one)), one, None) for one in found]


async def _delete(call: Call) -> dict[str, Any]:
    waiting: set[str] = set()
    found = [await _stored(call, user_id) for user_id in call.body.user_ids]  # all or none
    for one in found:
        end = partial(budgets.end, name=one.name, author=author(call))
        waiting.update((await end_budget(call, one.name, end)).waiting_for)
    return {"deleted_customers": len(found), "waiting_for": sorted(waiting)}


ROWS = (
    Row("POST", "/customer/new", "operator", _new, body=Fields),
    Row("POST", "/customer/update", "operator", _update, body=Fields),
    Row("GET", "/customer/info", "viewer", _info, query=CustomerAsked),
    Row("GET", "/customer/list", "viewer", _list),
    Row("POST", "/customer/delete", "operator", _delete, body=CustomersEnded),
)


def budget_name(user_id: str) -> str:
    """The name of a customer's budget: people read it where they can."""
    if _PLAIN.fullmatch(user_id):
        return CUSTOMER + user_id
    return f"{CUSTOMER}-{hashlib.sha256(user_id.encode()).hexdigest()[:32]}"


async def _store(
    call: Call, user_id: str, asked: CustomerFields, ignored: list[str]
) -> dict[str, Any]:
    if not isinstance(asked.budget_duration, str):
        message = (
            "budget_duration is missing, such as 30d: what a customer has spent is known only as "
            "long as receipts are kept."
        )
        raise ApiError("invalid_request", message, param="budget_duration")
    period = budget_period(asked.budget_duration)
    per = period.unit or f"{period.rolling_s:f}s"
    amount, name = asked.max_budget or Decimal(0), budget_name(user_id)
    wanted = NewBudget(name, amount, per, only={_END_USER: user_id})
    changed = await set_budget(call, name, budget_asked(wanted))
    shown = _shown(user_id, await _stored(call, user_id), None)
    return {**shown, "ignored": ignored, "waiting_for": changed.waiting_for}


def _named(asked: CustomerFields) -> str:
    if not asked.user_id:
        raise ApiError("invalid_request", "user_id is missing.", param="user_id")
    return asked.user_id


def _user_of(budget: StoredBudget) -> str | None:
    """The customer whose budget it is; None for any other budget."""
    user_id = budget.only.get(_END_USER)
    return user_id if user_id is not None and budget.name == budget_name(user_id) else None


async def _stored(call: Call, user_id: str) -> StoredBudget:
    found = await call.desk.store(_find, user_id)
    if found is None:
        raise ApiError("not_found", f"Customer {user_id[:64]!r} has no budget.")
    return found


def _every(engine: Engine) -> list[StoredBudget]:
    with database.reading(engine) as connection:
        return budgets.every(connection)


def _find(engine: Engine, user_id: str) -> StoredBudget | None:
    return next((one for one in _every(engine) if _user_of(one) == user_id), None)


def _spend(engine: Engine, user_id: str, now_s: float) -> int:
    """Of all receipts that are kept."""
    with database.reading(engine) as connection:
        only = ((_END_USER, user_id),)
        (one,) = budget_use.used(connection, (), only, Span(0.0, now_s))
    return one.nanousd


def _shown(user_id: str, budget: StoredBudget | None, spend: int | None) -> dict[str, Any]:
    table = None
    if budget is not None:
        table = {
            "budget_id": budget.name,
            "max_budget": usd(budget.amount_nanousd),
            "budget_duration": period_shown(budget.unit, budget.rolling_s),
            "updated_at": iso(budget.at_s),
        }
    shown = {"user_id": user_id, "blocked": False, "alias": None, "litellm_budget_table": table}
    return shown if spend is None else {**shown, "spend": usd(spend)}
