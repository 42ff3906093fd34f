"""`budgets` of the plan file."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

from tidegate.core.declared_scalars import Dimension, Scope, Text
from tidegate.core.plan import PeriodUnit

MAX_BUDGET_USD = Decimal(1_000_000_000)


class Period(Struct, frozen=True):
    """When a budget is given anew: with each `unit` of the calendar (never, for a lifetime), or by
    and by over `rolling_s`.

    Exactly one of the two is set.
    """

    unit: PeriodUnit | None = None
    rolling_s: float | None = None


class DeclaredBudget(Struct, frozen=True, omit_defaults=True):
    """What may be spent. The most that a request can cost is held before it is served."""

    amount_usd: Annotated[
        Decimal,
        Meta(gt=0, extra={"read": "money"}, description="How much, in dollars."),
    ] = field(name="amount")
    per: Annotated[
        Period,
        Meta(extra={"read": "budget_period"}, description="The time in which it may be spent."),
    ]
    time_zone: Annotated[
        str | None,
        Meta(
            extra={"read": "time_zone"},
            description="Where the calendar's periods begin. Default: UTC.",
        ),
    ] = None
    scope: Annotated[
        Scope | tuple[Scope, ...],
        Meta(description="What has a budget of its own each. Default: one budget for everything."),
    ] = ()
    only: Annotated[
        dict[Dimension, Text],
        Meta(description="It pays only for requests with these values. Default: for all."),
    ] = {}
    hard: Annotated[
        bool, Meta(description="Refuse what would pass it; otherwise it only alerts.")
    ] = True
    degrade: Annotated[
        bool,
        Meta(
            description="Have the ladders of routes look at it: rungs with `when.budget` serve as "
            "it is spent, and what does not fit is served by a rung that does, or costs nothing."
        ),
    ] = False
    alerts: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=1000, extra={"read": "percent"})], ...],
        Meta(description="Parts of it that alert once they are spent, in rising order."),
    ] = (50, 80, 100)
