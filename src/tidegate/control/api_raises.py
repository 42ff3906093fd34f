"""Raises of a budget: so much more until a date, for one value of its scope or for every one."""

import math

from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.control import api_key_budgets
from tidegate.control.api_budgets import changed, missing
from tidegate.control.api_keys import author
from tidegate.control.budget_figures import budgets_of
from tidegate.control.errors import ApiError
from tidegate.control.key_limits import nanousd_asked
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_budgets import BudgetChanged, NewRaise
from tidegate.core.declared_budgets import MAX_BUDGET_USD
from tidegate.core.key_limits import budgeted_key
from tidegate.core.plan import Limit
from tidegate.core.units import usd_to_nanousd
from tidegate.stores import budgets
from tidegate.stores.budgets import StoredRaise

_LONGEST_S = 366 * 86_400.0


async def _raise(call: Call) -> BudgetChanged:
    asked: NewRaise = call.body
    name, by = call.path["id"], author(call)
    key_id = budgeted_key(name)
    limit = await _limit(call, name, key_id)
    left_s = asked.until_s - by.at_s
    if not math.isfinite(left_s) or not 0 < left_s <= _LONGEST_S:
        message = "until_s must lie in the future, and no more than 366 days from now."
        raise ApiError("invalid_request", message, param="until_s")
    extra = nanousd_asked(str(asked.extra), "extra")
    _check_sum(limit, extra, by.at_s)
    one = StoredRaise(
        *(0, name, extra, asked.until_s, asked.approver or by.actor, asked.reason),
        author=by.actor,
        at_s=by.at_s,
        scope=raised_values(asked, limit),
    )
    if key_id is not None:
        return await api_key_budgets.raise_budget(call, replace(one, scope={}), key_id)
    declared = call.desk.plans.declared.budgets

    def add(store: Connection) -> int:
        if name not in declared and all(it.name != name for it in budgets.every(store)):
            raise missing(name)  # it was ended meanwhile, and might be set anew while this stands
        return budgets.add_raise(store, one)

    number, waiting_for = await call.desk.amend(add)
    return changed(call, name, waiting_for, number)


ROWS = (Row("POST", "/api/budgets/{id}/raise", "operator", _raise, body=NewRaise, status=201),)


async def _limit(call: Call, name: str, key_id: str | None) -> Limit:
    """The budget of this name. ApiError when there is none."""
    if key_id is not None:
        _, of_key = await api_key_budgets.find_limit(call, key_id)
        return of_key
    found = next((one for one in budgets_of(call.desk.plans.current) if one.name == name), None)
    if found is None:
        raise missing(name)
    return found


def raised_values(asked: NewRaise, limit: Limit) -> dict[str, str]:
    """The value whose budget is raised, by dimension; empty for every value. ApiError."""
    only, given = dict(limit.only), asked.scope or {}
    apart = [name for name in limit.scope if name not in only]
    if asked.every and given:
        message = "Say whose budget is raised with scope, or all of them with every: not both."
        raise ApiError("invalid_request", message, param="every")
    if asked.every or not (apart or given):
        return {}
    if not limit.scope:
        message = f"Budget {limit.name} is one for everything: leave scope out."
        raise ApiError("invalid_request", message, param="scope")
    whole = {name: given.get(name) or only.get(name, "") for name in limit.scope}
    if given.keys() - whole.keys() or any(only.get(k, v) != v or not v for k, v in whole.items()):
        example = ", ".join(f'"{name}": "{only.get(name, "...")}"' for name in limit.scope)
        message = (
            f"Budget {limit.name} has one for each {' and '.join(limit.scope)}: say whose is "
            f"raised with scope, as in {{{example}}}, or raise all of them with every."
        )
        raise ApiError("invalid_request", message, param="scope")
    return whole


def _check_sum(limit: Limit, extra: int, now_s: float) -> None:
    """With all of its raises a budget stays within what a budget may be. ApiError."""
    standing = sum(one.extra for one in limit.raises if now_s < one.until_s)
    if limit.amount + standing + extra > usd_to_nanousd(MAX_BUDGET_USD):
        message = f"A budget and its raises come to at most {MAX_BUDGET_USD} dollars together."
        raise ApiError("invalid_request", message, param="extra")
