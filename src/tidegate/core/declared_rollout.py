"""`releases/ROUTE/NAME.yaml`: a release on its way onto a route, as its file says it."""

from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from tidegate.core.arm import UNIT_KINDS, UnitKind
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_scalars import MAX_SECONDS, Name, Text, Usd
from tidegate.core.rollout import Approvals, HardLimits, NoDataRule, Shadow, Step
from tidegate.core.units import format_usd

_STEP: Final = Step(1.0)
_SHADOW: Final = Shadow()
_HARD: Final = HardLimits()
_APPROVALS: Final = Approvals()
_WEEK_S: Final = 7 * MAX_SECONDS
_Share = Annotated[float, Meta(ge=0, le=1, extra={"read": "share"})]
_LongSeconds = Annotated[float, Meta(gt=0, le=4 * _WEEK_S, extra={"read": "duration"})]
_Alpha = Annotated[float, Meta(gt=0, le=0.5)]
_Count = Annotated[int, Meta(ge=0, le=10_000_000, extra={"read": "quantity"})]
_People = Annotated[int, Meta(ge=0, le=10)]


class DeclaredRuntime(Struct, frozen=True, omit_defaults=True):
    """What of the serving side is other than it was. Told with the release; the change itself is
    made by who runs the engine, at an address of its own."""

    model_snapshot: Annotated[
        Text | None, Meta(description="The exact version of the model, such as a date or a commit.")
    ] = None
    runtime: Annotated[Text | None, Meta(description="The engine and its version.")] = None
    tokenizer: Annotated[Text | None, Meta(description="The tokenizer and its version.")] = None
    quantisation: Annotated[
        Text | None, Meta(description="How the weights are stored, such as fp8.")
    ] = None
    scheduler: Annotated[
        dict[Text, Text], Meta(description="Flags of the engine's scheduler, as text.")
    ] = {}


class DeclaredMove(DeclaredRoute, frozen=True, omit_defaults=True):
    """What the release changes: keys of a route. Each that is written takes the place of the whole
    of the route's own; the others stay as the route has them. A plain text stands for `target`."""

    runtime: Annotated[
        DeclaredRuntime, Meta(description="What of the serving side is other than it was.")
    ] = DeclaredRuntime()


class DeclaredAssignment(Struct, frozen=True, omit_defaults=True):
    """Who gets the release."""

    units: Annotated[
        tuple[UnitKind, ...],
        Meta(
            description="What keeps to one version: the first of these that a request has. Default:"
            " experiment, user, conversation, key, request."
        ),
    ] = UNIT_KINDS
    always: Annotated[
        tuple[Text, ...],
        Meta(
            description="`key:ID`, `team:NAME` or `customer:NAME` that get it as long as anybody "
            "does, and are no part of the comparison."
        ),
    ] = ()
    never: Annotated[tuple[Text, ...], Meta(description="Likewise those that never get it.")] = ()


class DeclaredShadow(Struct, frozen=True, omit_defaults=True):
    """Copies of requests before any user sees an answer; the answers are thrown away."""

    share: Annotated[_Share, Meta(description="Of the route's requests, so many are copied.")] = (
        _SHADOW.share
    )
    min_requests: Annotated[
        _Count, Meta(description="So many answers are wanted before the first step.")
    ] = _SHADOW.min_requests
    max_s: Annotated[
        _LongSeconds, Meta(description="It pauses when they have not come after that long.")
    ] = field(default=_SHADOW.max_s, name="max")
    usd: Annotated[
        Usd,
        Meta(
            description="What the copies may cost, of all gateways; none is sent whose cost nobody "
            "knows."
        ),
    ] = Decimal(format_usd(_SHADOW.budget_nanousd))


class DeclaredStep(Struct, frozen=True, omit_defaults=True):
    """One share of the traffic, and what has to be seen at it. A step ends when both are there."""

    weight: Annotated[
        float,
        Meta(gt=0, le=1, extra={"read": "share"}, description="Share of the units, such as 5%."),
    ]
    min_units: Annotated[
        _Count, Meta(description="So many units of the release have to have been seen.")
    ] = _STEP.min_units
    min_s: Annotated[_LongSeconds, Meta(description="It lasts at least so long.")] = field(
        default=_STEP.min_s, name="min"
    )
    max_s: Annotated[
        _LongSeconds, Meta(description="Undecided after that long, the release pauses.")
    ] = field(default=_STEP.max_s, name="max")
    smoke: Annotated[
        bool, Meta(description="Only hard limits are judged: for the first, smallest steps.")
    ] = _STEP.smoke


class DeclaredHarm(Struct, frozen=True, omit_defaults=True):
    """How one metric guards the release."""

    margin: Annotated[
        float | None,
        Meta(
            gt=0,
            le=100,
            description="How much worse is no harm yet: points of a share, such as 0.02, or a "
            "ratio, such as 1.15, of tokens and cost. Default: the metric's own.",
        ),
    ] = None
    weight: Annotated[
        float, Meta(gt=0, le=1000, description="Its part of the error that is allowed.")
    ] = 1.0
    no_data: Annotated[
        NoDataRule, Meta(description="What it means when nobody knows: roll back, wait, or go on.")
    ] = "pause"


class DeclaredHard(Struct, frozen=True, omit_defaults=True):
    """What rolls back at once, without statistics."""

    bad: Annotated[
        int, Meta(ge=1, le=1000, description="So many bad answers among the first `of`.")
    ] = _HARD.bad_of_first[0]
    of: Annotated[int, Meta(ge=1, le=1000, description="See `bad`.")] = _HARD.bad_of_first[1]
    invalid: Annotated[
        _Share, Meta(description="So large a share of answers that break their contract.")
    ] = _HARD.invalid_share
    invalid_least: Annotated[
        _Count, Meta(description="Of so many answers at least, before `invalid` is judged.")
    ] = _HARD.invalid_least
    cost_ratio: Annotated[
        float,
        Meta(
            gt=1, le=1000, description="So many times what the dearest 1% of the others cost, each."
        ),
    ] = _HARD.cost_ratio


class DeclaredApprovals(Struct, frozen=True, omit_defaults=True):
    """How many people have to say yes. While it waits it may still be rolled back."""

    start: Annotated[_People, Meta(description="Before anybody gets it.")] = _APPROVALS.start
    step: Annotated[_People, Meta(description="Before each higher weight.")] = _APPROVALS.step
    promotion: Annotated[_People, Meta(description="Before it replaces what is there.")] = (
        _APPROVALS.promotion
    )


class DeclaredRollout(Struct, frozen=True, omit_defaults=True):
    """A release on its way onto a route. The folder says which route, the file's name what the
    release is called."""

    owner: Annotated[Text, Meta(description="Who is asked about it.")]
    change: Annotated[
        DeclaredMove, Meta(extra={"shorthand": "target"}, description="What it changes.")
    ]
    why: Annotated[Text | None, Meta(description="What it is for, in a sentence.")] = None
    assign: Annotated[DeclaredAssignment, Meta(description="Who gets it.")] = DeclaredAssignment()
    shadow: Annotated[
        DeclaredShadow | None,
        Meta(description="Copies of requests before any user gets it. Default: none."),
    ] = None
    steps: Annotated[
        tuple[DeclaredStep, ...],
        Meta(description="Default: 1% (smoke), 5%, 20%, 50%, 100%."),
    ] = ()
    harm: Annotated[
        dict[Name, DeclaredHarm],
        Meta(
            description="The metrics that hold it back, in place of the usual ones: error, refusal,"
            " invalid, interrupted, fallback, ttft, output_tokens, cost; and thumbs_down, quality "
            "and follow_up where the route has them, which need not be shown to be safe."
        ),
    ] = {}
    harm_alpha: Annotated[
        _Alpha, Meta(description="How often a harmless release may be rolled back, over all.")
    ] = 0.05
    safe_alpha: Annotated[
        _Alpha, Meta(description="How often one at a metric's margin may be promoted.")
    ] = 0.05
    hard: Annotated[DeclaredHard, Meta(description="What rolls it back at once.")] = DeclaredHard()
    approvals: Annotated[DeclaredApprovals, Meta(description="Who has to say yes.")] = (
        DeclaredApprovals()
    )
    soak_s: Annotated[
        _LongSeconds,
        Meta(description="How long what it replaced is kept warm after its promotion."),
    ] = field(default=3600.0, name="soak")
    business_hours: Annotated[
        Text | None,
        Meta(
            description="It moves on only then, such as `mon-fri 09:00-17:00 Europe/Berlin`; "
            "it is rolled back at any time. Default: always."
        ),
    ] = None
    labels: Annotated[tuple[Text, ...], Meta(description="Words to find it by.")] = ()
    gates: Annotated[
        tuple[Text, ...],
        Meta(
            description="What has to be passed before it starts, by name. `certificate` is decided "
            "by control, for every version and model that it would be asked at."
        ),
    ] = ()
    orthogonal: Annotated[
        bool,
        Meta(
            description="Another release that says so too, and changes none of the same keys, may "
            "be under way on the route with it. Each has one half of the units to itself, from its "
            "start to its promotion."
        ),
    ] = False
