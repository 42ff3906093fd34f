"""Objectives over the control API."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.control.slo_causes import Cause, Excess
from tidegate.core.objective import Indicator, Preset, State
from tidegate.core.signal import Signal
from tidegate.stats.burn import Severity, TierName
from tidegate.stores.time_line import Happened

Sentence = Annotated[str, Meta(min_length=1, max_length=1000)]


class SloQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one route, or of all that have objectives."""

    route: str | None = None


class ExplainQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """A route, and one of its objectives or all."""

    route: str
    objective: Indicator | None = None


class ExportQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Rules for Prometheus, or routes for Alertmanager."""

    what: Literal["prometheus", "alertmanager"] = "prometheus"


class TierView(Struct, frozen=True):
    """A pair of windows: how fast the budget burns in them, and from when on it is told. `factor`
    None: bad requests are counted. `lowered`: more than half of all requests would have to be bad
    otherwise. `detect_s` is how long it takes to fire in a full outage."""

    name: TierName
    severity: Severity
    long_s: float
    short_s: float
    factor: float | None
    lowered: bool
    long_burn: float | None
    short_burn: float | None
    fires: bool
    detect_s: float


class ObjectiveView(Struct, frozen=True):
    """`left` is the part of the error budget that is left, None where nothing is known. A turn is
    good up to `per_output_token_s` more than `within_s` for each token of its answer."""

    sli: Indicator
    target_percent: float
    within_s: float | None
    per_output_token_s: float
    judged: int
    bad: int
    left: float | None
    state: State
    told: Severity | None
    tiers: list[TierView]


class RouteSlo(Struct, frozen=True):
    """One route: its state as the loop makes it of what is known now."""

    route: str
    preset: Preset | None
    period_s: float
    owner: str
    state: State
    why: str
    absent: bool
    review_wanted: str | None
    objectives: list[ObjectiveView]


class SloList(Struct, frozen=True):
    """By name."""

    routes: list[RouteSlo]


class ExplainedObjective(Struct, frozen=True):
    """What is behind one objective, of the requests that were looked at."""

    sli: Indicator
    burn: float | None
    fires: bool
    judged: int
    bad: int
    causes: list[Cause]
    excesses: list[Excess]


class SloExplained(Struct, frozen=True):
    """`since_s` is when the oldest request was, of those that were looked at. `engines` are the
    newest readings of the route's targets, `happened` what moved its requests since
    `happened_since_s`, the newest first."""

    route: str
    since_s: float
    objectives: list[ExplainedObjective]
    engines: list[Signal]
    happened_since_s: float
    happened: list[Happened]


class NewReview(Struct, frozen=True, forbid_unknown_fields=True):
    """Where it was written down, and what is done so that it does not come again."""

    route: str
    postmortem: Sentence
    follow_up: Sentence


class ReviewView(Struct, frozen=True):
    """One that is kept."""

    route: str
    at_s: float
    author: str
    postmortem: str
    follow_up: str


class Exported(Struct, frozen=True):
    """A file's text."""

    text: str
