"""`slo` of a route: its objectives, and what follows where its error budget is spent."""

from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from tidegate.core.declared_scalars import MAX_SECONDS, Text
from tidegate.core.objective import DAY_S, ErrorBudget, Indicator, Preset, State

LEAST_PERIOD_S: Final = 7 * DAY_S
MOST_PERIOD_S: Final = 90 * DAY_S
_BUDGET: Final = ErrorBudget()
Percentage = Annotated[Decimal, Meta(ge=50, le=99.9999, extra={"read": "percentage"})]
_Moment = Annotated[float, Meta(extra={"read": "moment"})]
_Share = Annotated[int, Meta(ge=0, le=100, extra={"read": "percent"})]


class DeclaredLatencyObjective(Struct, frozen=True):
    """So many of the requests are to take no longer."""

    target: Annotated[Percentage, Meta(description="The part of requests that is to be good.")]
    within_s: Annotated[
        float,
        Meta(gt=0, le=MAX_SECONDS, extra={"read": "duration"}, description="How long is good."),
    ] = field(name="within")


class DeclaredTurnObjective(DeclaredLatencyObjective, frozen=True, omit_defaults=True):
    """So many of the turns are to take no longer: a long answer may take longer than a short one
    where each of its tokens has a time of its own."""

    per_output_token_s: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            extra={"read": "duration"},
            description="So much longer is good for each token of the answer. What is counted is "
            "judged by the numbers of its time; other numbers judge what comes after.",
        ),
    ] = field(name="per_output_token", default=0.0)


class DeclaredExemption(Struct, frozen=True):
    """Until then the route's state is no worse."""

    until: Annotated[_Moment, Meta(description="When it ends by itself.")]
    at_most: Annotated[State, Meta(description="The worst state that the route can have.")]
    why: Annotated[Text, Meta(description="For whoever reads the log of it.")]
    by: Annotated[Text, Meta(description="Who allowed it.")]


class DeclaredMaintenance(Struct, frozen=True):
    """A time in which what goes wrong was announced: it is charged to no objective."""

    from_s: Annotated[_Moment, Meta(description="When it begins.")] = field(name="from")
    until: Annotated[_Moment, Meta(description="When it ends.")]
    why: Annotated[Text, Meta(description="What is done in it.")]


class DeclaredErrorBudget(Struct, frozen=True, omit_defaults=True):
    """What follows from how much of the error budget is left."""

    caution_below: Annotated[
        _Share, Meta(description="With less left, releases take at least twice as long.")
    ] = round(_BUDGET.caution * 100)
    restricted_below: Annotated[
        _Share, Meta(description="With less left, only releases labelled `fix` go on.")
    ] = round(_BUDGET.restricted * 100)
    thaw_above: Annotated[
        _Share,
        Meta(description="Where nothing was left, releases go on once there is more than this."),
    ] = round(_BUDGET.thaw * 100)
    review_above: Annotated[
        _Share,
        Meta(description="An incident that cost more wants a review before the next release."),
    ] = round(_BUDGET.review * 100)
    owner: Annotated[str, Meta(max_length=200, description="Who answers for it.")] = _BUDGET.owner
    approvers: Annotated[
        int, Meta(ge=1, le=10, description="How many people say yes to a fix while restricted.")
    ] = _BUDGET.approvers
    money_caution_at: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            extra={"read": "percent"},
            description="An alert of a money budget for the route at this part of it, or a higher "
            "one, has the effect of `caution_below`.",
        ),
    ] = _BUDGET.caution_percent
    money_restricted_at: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            extra={"read": "percent"},
            description="So has one here of `restricted_below`.",
        ),
    ] = _BUDGET.restricted_percent
    exemptions: Annotated[
        tuple[DeclaredExemption, ...],
        Meta(description="Times in which less follows from it; each ends by itself."),
    ] = ()
    maintenance: Annotated[
        tuple[DeclaredMaintenance, ...], Meta(description="Times that are not charged to it.")
    ] = ()


class DeclaredSlo(Struct, frozen=True, omit_defaults=True):
    """A route's objectives. A plain text stands for its `preset`."""

    preset: Annotated[
        Preset | None,
        Meta(description="Objectives that suit such a product; see docs/objectives.md."),
    ] = None
    period_s: Annotated[
        float,
        Meta(
            ge=LEAST_PERIOD_S,
            le=MOST_PERIOD_S,
            extra={"read": "duration"},
            description="The time, rolling, over which the error budget is counted.",
        ),
    ] = field(name="period", default=_BUDGET.period_s)
    without: Annotated[
        tuple[Indicator, ...], Meta(description="Objectives of the preset that are none here.")
    ] = ()
    availability: Annotated[Percentage | None, Meta(description="Requests that got an answer.")] = (
        None
    )
    ttft: Annotated[
        DeclaredLatencyObjective | None,
        Meta(description="Streams whose first token came in time."),
    ] = None
    turn_time: Annotated[
        DeclaredTurnObjective | None,
        Meta(description="Answers that were there in time, with the application's own part."),
    ] = None
    total_time: Annotated[
        DeclaredLatencyObjective | None, Meta(description="Requests that ended in time.")
    ] = None
    integrity: Annotated[
        Percentage | None, Meta(description="Streams that came to their proper end.")
    ] = None
    validity: Annotated[
        Percentage | None, Meta(description="Answers that keep the route's contract.")
    ] = None
    fallback: Annotated[
        Percentage | None, Meta(description="Answers that the first choice gave.")
    ] = None
    abandon: Annotated[
        Percentage | None, Meta(description="Requests whose client stayed to the end.")
    ] = None
    batch: Annotated[
        Percentage | None, Meta(description="Requests of the class `batch` that were completed.")
    ] = None
    error_budget: Annotated[
        DeclaredErrorBudget, Meta(description="What follows from how much of it is left.")
    ] = DeclaredErrorBudget()
