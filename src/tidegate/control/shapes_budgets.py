"""Budgets over the control API. Money is exact decimal dollars in text, times are wall-clock
seconds; bodies forbid unknown fields."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.control.shapes import Name

BudgetName = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
Value = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Reason = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


# `key:` and a key's id is the budget that a key brings with it.
AnyBudgetName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*|key:([A-Za-z0-9]{8}|ext-[0-9a-f]{24}))$",
    ),
]


class BudgetQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How many of the budgets that keys bring with them are listed beside the others."""

    keys: Annotated[int, Meta(ge=0, le=1000)] = 20


class NewBudget(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A budget to set, in the words of the plan file. It replaces one that was set before."""

    name: AnyBudgetName
    amount: Decimal
    per: str
    time_zone: str | None = None
    scope: str | list[str] | None = None
    only: dict[str, str] | None = None
    hard: bool | None = None
    alerts: list[int | str] | None = None
    degrade: bool | None = None


class NewRaise(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """`extra` dollars more of a budget until `until_s`. Without `approver` it is who asks.

    A budget that has one for each value of its scope is raised for the value that `scope` says by
    dimension, or for `every` one.
    """

    extra: Decimal
    until_s: float
    reason: Reason
    approver: Name | None = None
    scope: dict[str, Value] | None = None
    every: bool = False


class EndBudget(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Ends the budget, or only the raise of this number."""

    raise_id: int | None = None


class ScopeUse(Struct, frozen=True):
    """What one value of a budget's scope has spent. `forecast_usd` None: there is none (yet)."""

    scope: str
    allowed_usd: str
    used_usd: str
    left_usd: str
    share: float
    forecast_usd: str | None


class RaiseView(Struct, frozen=True):
    """A raise, and whether it counts now. `scope` None: of every value."""

    id: int
    scope: str | None
    extra_usd: str
    until_s: float
    approver: str
    reason: str
    author: str
    at_s: float
    state: Literal["in force", "over", "ended"]


class AlertView(Struct, frozen=True):
    """An alert that was given. `delivered_at_s` None: no webhook has taken it."""

    budget: str
    scope: str
    measure: Literal["actual", "forecast"]
    percent: int
    at_s: float
    used_usd: str
    forecast_usd: str | None
    allowed_usd: str
    delivered_at_s: float | None


State = Literal["open", "alerting", "spent"]


class BudgetView(Struct, frozen=True):
    """One budget now. `highest` has the values of its scope that spent most; `state` is of the
    highest. `resets_at_s` None: it rolls on, or is for a lifetime. `author` None: the plan file
    declares it, or a key brings it with it: then `holder` says whose key that is."""

    name: str
    author: str | None
    scope: tuple[str, ...]
    only: dict[str, str]
    per: str
    time_zone: str
    hard: bool
    alerts: tuple[int, ...]
    amount_usd: str
    allowed_usd: str
    state: State
    since_s: float
    resets_at_s: float | None
    highest: list[ScopeUse]
    newest_alert: AlertView | None
    holder: str | None = None
    degrade: bool = False


class BudgetList(Struct, frozen=True):
    """Every budget that the caller may see, by name; then those that keys bring with them, first
    the one of which the greatest part is spent. `keys_left_out` more of these are not listed."""

    budgets: list[BudgetView]
    keys_left_out: int = 0


class Spender(Struct, frozen=True):
    """Who spent most of a budget in its period, by one dimension."""

    dimension: str
    value: str
    used_usd: str


class BudgetExplained(Struct, frozen=True):
    """Everything about one budget. `counts` says in a sentence what counts."""

    budget: BudgetView
    counts: str
    spenders: list[Spender]
    raises: list[RaiseView]
    alerts: list[AlertView]


class BudgetChanged(Struct, frozen=True):
    """What a change came to. `waiting_for` names gateways that have not said that they obey."""

    name: str
    plan_version: int
    waiting_for: list[str]
    raise_id: int | None = None
