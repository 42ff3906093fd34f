"""Budgets that keys bring with them, set, raised and ended as any other: `key:` and its id."""

from collections.abc import Callable

from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tidegate.control import budget_views, key_budgets
from tidegate.control.api_keys import author, change_key, find_key
from tidegate.control.errors import ApiError
from tidegate.control.key_limits import check_alerts, check_countable
from tidegate.control.routes import Call
from tidegate.control.shapes_budgets import BudgetChanged, BudgetExplained, BudgetView, NewBudget
from tidegate.core import clock
from tidegate.core.declared_budgets import DeclaredBudget
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits, budget_name
from tidegate.core.plan import Limit, Raise
from tidegate.core.units import usd_to_nanousd
from tidegate.stores import alerts, budgets, database, keys
from tidegate.stores.budgets import RaiseNotFound, StoredRaise

_ALERTS_EXPLAINED = 50


async def find_limit(call: Call, key_id: str) -> tuple[KeyRecord, Limit]:
    """A key that the caller may see, and its budget. ApiError for none."""
    record = await find_key(call, key_id)
    limit = key_budgets.limit_of(record.id, record.limits)
    if limit is None:
        raise _none(key_id)
    return record, limit


async def explain(call: Call, key_id: str) -> BudgetExplained:
    """Everything about the budget of one key."""
    record, limit = await find_limit(call, key_id)
    return await call.desk.store(_explained, record, limit, call.team and call.team.id)


def nearest(engine: Engine, team: str | None, most: int) -> tuple[list[BudgetView], int]:
    """Of all budgets of keys those that are nearest to their end; how many more there are."""
    near = key_budgets.Nearest(most)
    with database.reading(engine) as connection:
        for one in key_budgets.every(connection, clock.wall_s(), team):
            near.add(one)
        found = near.found()
        newest = [alerts.recent(connection, one.standing.limit.name, 1) for one in found]
    views = [
        replace(
            budget_views.view(one.standing, None, told[0] if told else None, most=1),
            holder=_holder(one.name, one.team),
        )
        for one, told in zip(found, newest, strict=True)
    ]
    return views, near.count - len(views)


async def set_budget(
    call: Call, key_id: str, asked: NewBudget, declared: DeclaredBudget
) -> BudgetChanged:
    """Give the key a budget, in place of the one it has. Its raises stand."""
    for name in ("scope", "only", "time_zone"):
        if getattr(asked, name) is not None:
            message = f"The budget of a key is the key's alone and goes by UTC: leave {name} out."
            raise ApiError("invalid_request", message, param=name)
    check_alerts(declared.alerts, says=declared.hard or declared.degrade)

    def change(old: KeyRecord) -> KeyRecord:
        limits = replace(
            old.limits or KeyLimits(),
            budget_nanousd=usd_to_nanousd(declared.amount_usd),
            budget_unit=declared.per.unit,
            budget_s=declared.per.rolling_s,
            budget_hard=declared.hard,
            budget_degrade=declared.degrade,
            budget_alerts=declared.alerts,
        )
        check_countable(limits, call.desk.plans.declared)
        return replace(old, limits=limits)

    return await _edit(call, key_id, change)


async def raise_budget(call: Call, one: StoredRaise, key_id: str) -> BudgetChanged:
    """So much more until then."""
    numbers: list[int] = []

    def change(old: KeyRecord) -> KeyRecord:
        if old.limits is None or old.limits.budget_nanousd is None:
            raise _none(key_id)
        standing = [it for it in old.limits.raises if one.at_s < it.until_s]
        raises = (*standing, Raise(one.extra_nanousd, one.until_s))
        return replace(old, limits=replace(old.limits, raises=raises))

    def note(connection: Connection) -> None:
        numbers.append(budgets.add_raise(connection, one))

    changed = await _edit(call, key_id, change, note)
    return replace(changed, raise_id=numbers[0])


async def end(call: Call, key_id: str, raise_id: int | None) -> BudgetChanged:
    """Take the budget from the key, or one raise of it."""
    if raise_id is None:
        return await _edit(call, key_id, lambda old: _without_budget(old, key_id))
    name, by, ended = budget_name(key_id), author(call), list[Raise]()

    def note(connection: Connection) -> None:
        standing = budgets.raises_in_force(connection, by.at_s, name)
        ended.extend(Raise(it.extra_nanousd, it.until_s) for it in standing if it.id == raise_id)
        try:
            budgets.end_raise(connection, name, raise_id, by)
        except RaiseNotFound as error:
            raise ApiError("not_found", f"Nothing is ended: {error}.") from error

    def change(old: KeyRecord) -> KeyRecord:
        limits = old.limits or KeyLimits()
        raises = list(limits.raises)
        for one in ended:
            if one in raises:  # another that is like it stands
                raises.remove(one)
        return replace(old, limits=replace(limits, raises=tuple(raises)))

    return await _edit(call, key_id, change, note)


async def _edit(
    call: Call,
    key_id: str,
    change: Callable[[KeyRecord], KeyRecord],
    first: Callable[[Connection], None] | None = None,
) -> BudgetChanged:
    await find_key(call, key_id)
    seq = await change_key(call, keys.edit, key_id, change, author(call), first)
    waiting_for = await call.desk.obeyed(seq)
    return BudgetChanged(budget_name(key_id), call.desk.plans.current.version, waiting_for)


def _explained(
    engine: Engine, record: KeyRecord, limit: Limit, team: str | None
) -> BudgetExplained:
    now_s = clock.wall_s()
    with database.reading(engine) as connection:
        found = key_budgets.standing(connection, record.id, limit, now_s)
        given = alerts.recent(connection, limit.name, _ALERTS_EXPLAINED)
        view = budget_views.view(found, None, given[0] if given else None, most=1)
        return BudgetExplained(
            budget=replace(view, holder=_holder(record.name, record.team)),
            counts=budget_views.counts(found),
            spenders=list(budget_views.spenders(connection, found, team)),
            raises=[
                budget_views.raise_view(one, now_s)
                for one in budgets.raises_of(connection, limit.name)
            ],
            alerts=[budget_views.alert_view(one) for one in given],
        )


def _without_budget(old: KeyRecord, key_id: str) -> KeyRecord:
    if old.limits is None or old.limits.budget_nanousd is None:
        raise _none(key_id)
    rates = KeyLimits(
        requests_per_minute=old.limits.requests_per_minute,
        tokens_per_minute=old.limits.tokens_per_minute,
        max_parallel_requests=old.limits.max_parallel_requests,
        openings=old.limits.openings,
    )
    return replace(old, limits=None if rates == KeyLimits() else rates)


def _holder(name: str, team: str) -> str:
    return f"{name}, team {team}"


def _none(key_id: str) -> ApiError:
    return ApiError("not_found", f"Key {key_id[:40]!r} brings no budget with it.")
