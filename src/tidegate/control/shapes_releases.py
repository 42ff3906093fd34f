"""Releases and the loop over the control API. Times are wall-clock seconds."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.rollout_state import State, What

ReleaseId = Annotated[str, Meta(min_length=3, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Why = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
GateName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


class ReleaseQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Those that have not ended, or with `ended` all of them."""

    ended: bool = False


class OneRelease(Struct, forbid_unknown_fields=True):
    """Which one, by its id `ROUTE/NAME`."""

    id: ReleaseId


class AskRelease(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a person asks of a release. `rollback`, `skip_analysis` and `waive_certificate` need a
    reason, the outcome of a gate the gate's name."""

    id: ReleaseId
    what: What
    reason: Why = ""
    gate: GateName | None = None


class MetricView(Struct, frozen=True):
    """What is known of one harm metric. `effect` and its bounds are in words; `needed` is how many
    of the candidate's are still to come until it can be shown to be safe, `needed_s` how long that
    is at present traffic; below `smallest` this canary cannot see an effect. `counted` names what
    these numbers are of, such as requests; without `must_be_safe` it only holds back what is shown
    to be worse."""

    name: str
    verdict: str
    effect: str
    canary: int
    stable: int
    by_unit: bool
    margin: str
    needed: int | None
    needed_s: float | None
    smallest: str | None
    counted: str = "requests"
    must_be_safe: bool = True


class ReleaseView(Struct, frozen=True):
    """One release and where it stands. `weight` is the share of units that its state gives it,
    `requests_per_s` what it serves at present, None where nobody knows."""

    id: str
    route: str
    owner: str
    why: str
    state: State
    step: int
    steps: int
    weight: float
    reason: str
    since_s: float
    created_at_s: float
    ended_at_s: float | None
    waits_for: list[str]
    problem: str | None
    requests: int
    units: int
    requests_per_s: float | None


class ReleaseList(Struct, frozen=True):
    """The oldest first. `looked_at_s` is when the loop last did."""

    releases: list[ReleaseView]
    looked_at_s: float | None


class LineView(Struct, frozen=True):
    """One line of its time line."""

    at_s: float
    state: State
    step: int
    why: str


class AskedView(Struct, frozen=True):
    """What somebody asked."""

    at_s: float
    who: str
    what: What
    reason: str
    gate: str | None


class ReleaseExplained(Struct, frozen=True):
    """Everything of one release. `cached_shares` are the parts of the arms' answers whose prompt
    was read from a cache (stable, canary), `members` what it changes, as JSON."""

    release: ReleaseView
    metrics: list[MetricView]
    time_line: list[LineView]
    asked: list[AskedView]
    members: dict[str, str]
    runtime: dict[str, str]
    cached_shares: tuple[float | None, float | None]
    ratio_broken: bool
    notes: list[str]


class ReleaseMade(Struct, frozen=True):
    """`is_new` is false where the same release had been created before. `notes` say of which
    certificates it lacks, and what none is about."""

    id: str
    is_new: bool
    notes: list[str] = []


class ReleaseAsked(Struct, frozen=True):
    """The wish under its number; the loop takes it in with its next tick, at once if it runs.

    Of a rollback `is_done` says whether the loop has, and `waiting_for` names the gateways that may
    not obey it yet: from `is_done` without any, nobody gets the release.
    """

    id: str
    what: What
    seq: int
    is_done: bool | None = None
    waiting_for: list[str] = []


class ProposalView(Struct, frozen=True):
    """One thing that a controller wants, in words, and why."""

    what: str
    why: str


class SubjectView(Struct, frozen=True):
    """What a controller decided of one subject in the newest tick."""

    controller: str
    subject: str
    proposals: list[ProposalView]


class LoopStatus(Struct, frozen=True):
    """The loop of this control. `epoch` None: it leads nothing, or runs dry."""

    leads: bool
    dry_run: bool
    tick_s: float
    lease_s: float
    at_s: float | None
    took_s: float
    epoch: int | None
    active_s: float
    problem: str | None
    subjects: list[SubjectView]


class ReplayQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The newest decisions, of one subject or of all, or the one with this number."""

    subject: Annotated[str, Meta(max_length=300)] | None = None
    seq: Annotated[int, Meta(ge=1)] | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 20


class Replayed(Struct, frozen=True):
    """One decision made again. `same`: it came to the same proposals; None where it cannot be made
    again, and `why` says so."""

    seq: int
    controller: str
    subject: str
    at_s: float
    epoch: int
    same: bool | None
    why: str
    proposals: list[ProposalView]


class ReplayList(Struct, frozen=True):
    """The newest first."""

    decisions: list[Replayed]
